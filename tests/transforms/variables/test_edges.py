"""The edges of each variable's rule, case by case: drawn as the examples of the manual are."""

from pathlib import Path

import pytest

from tests.spec.examples import derived, examples, given

EDGES = Path(__file__).parent / "edges"
EACH = [
    pytest.param(name, number, id=f"{name}: {example.says}")
    for name, page in examples(EDGES).items()
    for number, example in enumerate(page.example)
]


@pytest.mark.parametrize(("page", "number"), EACH)
def test_the_edge_holds(page: str, number: int) -> None:
    example = examples(EDGES)[page].example[number]
    assert given(example, derived(page, EDGES)[number]) == example.gives
