"""Every example of every variable holds, and none of the variables is without."""

from pathlib import Path

import pytest

from schemas.features import FEATURES
from tests.spec.examples import NULL, Example, derived, examples, given
from transforms.variables import windows as windows_module
from transforms.variables.windows import Windows

EACH = [
    pytest.param(name, number, id=f"{name}: {example.says}")
    for name, page in examples().items()
    for number, example in enumerate(page.example)
]
OF_THE_NIGHT = {"patient_id", "as_of", "quarantined_rows", "cells_set_aside"}
NO_VARIABLE = {"__init__", "as_of", "evidence", "features", "windows"}


def _shown(page: str) -> list[Example]:
    return list(examples()[page].example)


@pytest.mark.parametrize(("page", "number"), EACH)
def test_the_example_holds(page: str, number: int) -> None:
    example = examples()[page].example[number]
    assert given(example, derived(page)[number]) == example.gives


def test_every_column_of_features_has_its_page() -> None:
    shown = [c for page in examples().values() for c in (*page.columns, *page.lineage)]
    assert sorted(shown) == sorted(set(FEATURES) - OF_THE_NIGHT)


def test_every_window_has_its_page() -> None:
    assert {w for page in examples().values() for w in page.windows} == set(Windows.model_fields)


def test_every_module_of_a_variable_has_its_page() -> None:
    folder = Path(windows_module.__file__).parent
    modules = {path.stem for path in folder.glob("*.py")} - NO_VARIABLE
    assert sorted(m for page in examples().values() for m in page.modules) == sorted(modules)


@pytest.mark.parametrize("page", examples())
def test_every_answer_is_shown_known_and_unknown(page: str) -> None:
    said = {(c, e.gives[c] == NULL) for e in _shown(page) for c in e.gives}
    assert {c for c, _ in said} >= set(examples()[page].columns)
    assert any(is_null for _, is_null in said) and any(not is_null for _, is_null in said)


@pytest.mark.parametrize("page", examples())
def test_no_sentence_stands_twice(page: str) -> None:
    sentences = [example.says for example in _shown(page)]
    assert len(sentences) == len(set(sentences))
