"""Model cards: everything a stranger needs, and the committed pages are current."""

from pathlib import Path

import pytest

from models.cards import card, numbers
from models.spec import library

PAGES = Path(__file__).parents[2] / "docs" / "model_cards"
MODELS = library()


@pytest.mark.parametrize("name", list(MODELS))
def test_every_number_is_on_the_card_with_its_source(name: str) -> None:
    text = card(MODELS[name])
    for what, number in numbers(MODELS[name]):
        assert f"{number.value:g}" in text, what
        assert number.source in text, what
    for finding in MODELS[name].contradictions:
        assert finding.says in text
    assert MODELS[name].not_for in text


@pytest.mark.parametrize("name", list(MODELS))
def test_the_page_in_docs_is_current(name: str) -> None:
    assert (PAGES / f"{name}.md").read_text().startswith(card(MODELS[name])), "run `make docs`"
    assert (PAGES / f"{name}.svg").is_file()


def test_the_worked_example_of_the_score_is_45_points() -> None:
    assert "Total: 45 points, high risk" in card(MODELS["liu2022_score"])


def test_the_card_shows_what_refitting_does_to_a_patient() -> None:
    text = card(MODELS["liu2022_nomogram"])
    assert "| Recurrence between the operation and 131I | 57 % | 37 % |" in text
    assert "## Sensitivity" not in card(MODELS["liu2022_score"])


def test_no_label_on_a_card_is_left_unfilled() -> None:
    for model in MODELS.values():
        assert "{" not in card(model)
    assert ">= 500 ng/mL" in card(MODELS["jin2025_os"])
