"""What is on file near a missing variable, and why it does not count."""

from typing import Any

import polars as pl
import pytest

from schemas.published import OnFile, columns_of
from tests.registry import INDEX, Registry, days
from transforms.review.on_file import on_file
from transforms.variables.windows import Windows

Row = tuple[str, str, str]
MISSING = {"fdg_uptake": None, "stg_500": None, "nodule_cm": None}


def derived(**cells: Any) -> pl.DataFrame:
    """Return one patient of whom all three variables are missing, unless a test says so."""
    row = {"patient_no": 0, "patient_id": "A", "index_date": INDEX} | MISSING | cells
    schema = {"patient_no": pl.UInt32, "patient_id": pl.String, "index_date": pl.Date}
    schema |= {"fdg_uptake": pl.String, "stg_500": pl.String, "nodule_cm": pl.Float64}
    return pl.DataFrame([row], schema=schema)


def found(registry: Registry, windows: Windows | None = None, **cells: Any) -> list[Row]:
    rows = on_file(registry.record(), derived(**cells), windows or Windows())
    assert rows.schema == columns_of(OnFile)
    return rows.select("feature", "words", "reason").rows()


FDG = "the window is 7 days before to 7 after"
TG = "the window is the 30 days before"
CT = "the window is 90 days before to 30 after"
SOMETHING = "in the window; it cannot be read, or something else may count instead"
NO_DAY = "without a whole date"

FAR = [
    ("pet", -8, f"8 days before the first 131I therapy; {FDG}"),
    ("pet", -7, SOMETHING),
    ("pet", 7, SOMETHING),
    ("pet", 8, f"8 days after the first 131I therapy; {FDG}"),
    ("stg", -31, f"31 days before the first 131I therapy; {TG}"),
    ("stg", -30, SOMETHING),
    ("stg", 0, SOMETHING),
    ("stg", 1, f"1 days after the first 131I therapy; {TG}"),
    ("ct", -91, f"91 days before the first 131I therapy; {CT}"),
    ("ct", -90, SOMETHING),
    ("ct", 30, SOMETHING),
    ("ct", 31, f"31 days after the first 131I therapy; {CT}"),
]


def with_one(what: str, registry: Registry, on: Any) -> Registry:
    registry.patient("A")
    if what == "pet":
        return registry.pet("A", on, suv_max=8)
    return registry.stg("A", 700, on=on) if what == "stg" else registry.ct("A", on)


@pytest.mark.parametrize(("what", "day", "reason"), FAR)
def test_what_lies_outside_its_window_says_how_far(
    registry: Registry, what: str, day: int, reason: str
) -> None:
    ((_, _, said),) = found(with_one(what, registry, days(day)))
    assert said == reason


@pytest.mark.parametrize("what", ["pet", "stg", "ct"])
def test_a_month_is_no_whole_date_and_without_an_index_date_nothing_counts(
    registry: Registry, what: str
) -> None:
    assert found(with_one(what, registry, "2020-06"))[0][2] == NO_DAY
    other = with_one(what, Registry(), days(0))
    said = "the date of the first 131I therapy is unknown"
    assert found(other, index_date=None)[0][2] == said


WORDS: list[tuple[str, dict[str, Any], str]] = [
    ("imaging", {"modality": "FDG_PETCT", "suv_max": 8}, "PET/CT, SUVmax 8.0"),
    ("imaging", {"modality": "FDG_PETCT"}, "PET/CT without SUVmax"),
    ("imaging", {"modality": "FDG_PETCT", "suv_max": "?"}, "PET/CT without SUVmax"),
    ("labs", {"value": 700, "unit": "ng/mL", "comparator": "="}, "Tg 700.0 ng/mL"),
    ("labs", {"value": 1000, "unit": "pmol/L", "comparator": ">"}, "Tg >660.0 ng/mL"),
    ("labs", {"value": 7, "unit": "ng/mL"}, "Tg of unknown comparator, 7.0 ng/mL"),
    ("labs", {"value": 7}, "Tg without a usable value"),
    ("labs", {"value": 7, "unit": "mIU/L"}, "Tg without a usable value"),
    ("labs", {"value": None}, "Tg without a usable value"),
    (
        "imaging",
        {"modality": "CT", "largest_lung_nodule": 12, "largest_lung_nodule_unit": "mm"},
        "CT, nodule 1.2 cm",
    ),
    ("imaging", {"modality": "CT", "largest_lung_nodule": 12}, "CT, nodule without a size"),
    ("imaging", {"modality": "CT", "largest_lung_nodule": "?"}, "CT, nodule without a size"),
]


@pytest.mark.parametrize(("table", "cells", "words"), WORDS, ids=str)
def test_a_study_or_sample_is_said_in_words(
    registry: Registry, table: str, cells: dict[str, Any], words: str
) -> None:
    when = {"labs": "sample_date", "imaging": "study_date"}[table]
    about = {"analyte": "Tg", "stimulated": "yes"} if table == "labs" else {}
    registry.patient("A").add(table, "A", **{when: days(-200), **about, **cells})
    ((_, said, _),) = found(registry)
    assert said == words


NOT_LISTED: list[tuple[str, dict[str, Any]]] = [
    ("imaging", {"modality": "CT"}),
    ("imaging", {"modality": "US", "largest_lung_nodule": 1, "largest_lung_nodule_unit": "cm"}),
    ("imaging", {"modality": "WBS", "suv_max": 8}),
    ("labs", {"analyte": "Tg", "stimulated": "no", "value": 7, "unit": "ng/mL"}),
    ("labs", {"analyte": "TgAb", "stimulated": "yes", "value": 7, "unit": "IU/mL"}),
    ("labs", {"analyte": "TSH", "stimulated": "yes", "value": 40, "unit": "mIU/L"}),
]


@pytest.mark.parametrize(("table", "cells"), NOT_LISTED, ids=str)
def test_what_could_never_count_is_not_listed(
    registry: Registry, table: str, cells: dict[str, Any]
) -> None:
    when = {"labs": "sample_date", "imaging": "study_date"}[table]
    registry.patient("A").add(table, "A", **{when: days(-200), **cells})
    assert found(registry) == []


@pytest.mark.parametrize("stimulated", ["yes", "unknown", None, "?"])
def test_a_sample_that_may_be_stimulated_is_listed(
    registry: Registry, stimulated: str | None
) -> None:
    registry.patient("A").lab("A", "Tg", 7, "ng/mL", days(-99), stimulated=stimulated)  # type: ignore[arg-type]
    assert [row[0] for row in found(registry)] == ["stg_500"]


@pytest.mark.parametrize(
    ("known", "what"),
    [
        ({"fdg_uptake": "negative"}, "pet"),
        ({"stg_500": "below"}, "stg"),
        ({"nodule_cm": 1.0}, "ct"),
    ],
    ids=str,
)
def test_of_a_variable_that_is_known_nothing_is_listed(
    registry: Registry, known: dict[str, Any], what: str
) -> None:
    registry = with_one(what, registry, days(-400))
    assert found(registry, **known) == []
    assert len(found(registry)) == 1


def test_rows_are_in_order_with_their_source_and_of_their_own_patient(registry: Registry) -> None:
    registry.patient("A").pet("A", days(-40), suv_max=3).pet("A", days(-60), suv_max=2)
    registry.ct("A", days(200)).stg("A", 5, on=days(-70)).patient("B").pet("B", days(9), suv_max=5)
    rows = on_file(registry.record(), derived(), Windows())
    assert rows.select("patient_id", "feature", "date", "source_table", "source_row").rows() == [
        ("A", "fdg_uptake", days(-60), "imaging", "I2"),
        ("A", "fdg_uptake", days(-40), "imaging", "I1"),
        ("A", "nodule_cm", days(200), "imaging", "I3"),
        ("A", "stg_500", days(-70), "labs", "L1"),
    ]


def test_windows_that_were_set_are_the_ones_that_are_said(registry: Registry) -> None:
    registry.patient("A").pet("A", days(15), suv_max=3).ct("A", days(-61)).stg("A", 5, on=days(-8))
    windows = Windows(fdg_days=14, nodule_days_before=60, nodule_days_after=20, stg_days=7)
    assert [reason for _, _, reason in found(registry, windows)] == [
        "15 days after the first 131I therapy; the window is 14 days before to 14 after",
        "61 days before the first 131I therapy; the window is 60 days before to 20 after",
        "8 days before the first 131I therapy; the window is the 7 days before",
    ]
