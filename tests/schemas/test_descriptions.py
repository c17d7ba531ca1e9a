"""What a column says of itself: the windows and thresholds that are in force."""

from string import Formatter

from schemas.features import Features
from schemas.published import PUBLISHED, descriptions_of
from transforms.variables.windows import Windows


def test_a_description_says_the_window_in_force() -> None:
    usual = descriptions_of(Features, Windows().model_dump())["fdg_uptake"]
    wider = descriptions_of(Features, Windows(fdg_days=14).model_dump())["fdg_uptake"]
    assert "within 7 days" in usual
    assert wider == usual.replace("within 7 days", "within 14 days")


def test_every_window_stands_in_a_description() -> None:
    said = {
        name
        for model in PUBLISHED.values()
        for column in model.to_schema().columns.values()
        for _, name, _, _ in Formatter().parse(column.description or "")
        if name
    }
    # A switch is no window: with it or without it, the description is the same.
    assert said == Windows.model_fields.keys() - {"recist_progression"}
