from pathlib import Path

import pytest
from cosmic_ray.mutating import mutate_code
from cosmic_ray.operators.operator import Operator

from tests.mutants import AREAS, mutants, near, others
from tests.mutation_operators import Operators


@pytest.mark.parametrize("operator", [Operators()[name] for name in Operators()])
def test_an_operator_does_to_code_what_its_examples_say(operator: type[Operator]) -> None:
    for example in operator.examples():
        damaged = mutate_code(example.pre_mutation_code, operator(), example.occurrence)
        assert damaged == example.post_mutation_code


def test_annotations_and_docstrings_are_left_whole(tmp_path: Path) -> None:
    module = tmp_path / "module.py"
    module.write_text('"""3 words."""\nx: int | None = None\ndef f(a: int | None) -> a | 2: ...\n')
    assert list(mutants([module])) == []


def test_a_code_left_out_of_a_list_is_a_mutant(tmp_path: Path) -> None:
    module = tmp_path / "module.py"
    module.write_text("THYROIDECTOMY = ('total', 'near_total', 'lobectomy')\n")
    assert len(list(mutants([module]))) == 3


def test_decorators_are_left_whole(tmp_path: Path) -> None:
    module = tmp_path / "module.py"
    module.write_text("@dataclass(frozen=True)\nclass A:\n    b: bool = True\n")
    assert len(list(mutants([module]))) == 1


@pytest.mark.parametrize("area", AREAS)
def test_every_module_has_tests_near_to_it_or_in_its_room(area: str) -> None:
    for path in Path(area).rglob("*.py"):
        tests = [test for test in (*near(path), *others(path)) if test.startswith("tests/")]
        assert tests or path.name == "__init__.py", path
