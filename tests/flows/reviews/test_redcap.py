"""The REDCap instrument in examples/: its codes are those of its mapping; its export is read."""

import csv
from pathlib import Path

import polars as pl

from flows.reviews import store
from flows.secrets import NO_KEYS
from flows.settings import load_mapping
from schemas import codes
from tests.flows.reviews.conftest import Desk
from tests.registry import AS_OF

FOLDER = Path("examples/redcap").resolve()
MAPPING = FOLDER / "worklist_review.toml"
COLUMNS = 18
"""Of a REDCap data dictionary."""


def instrument() -> dict[str, dict[str, str]]:
    with (FOLDER / "worklist_review.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert all(len(row) == COLUMNS for row in rows)
    return {row["Variable / Field Name"]: row for row in rows}


def choices(field: str) -> dict[str, str]:
    listed = instrument()[field]["Choices, Calculations, OR Slider Labels"].split(" | ")
    return dict(choice.split(", ", 1) for choice in listed)


def test_every_field_and_choice_of_the_instrument_is_one_of_the_mapping() -> None:
    mapped = load_mapping(MAPPING).of("reviews")
    fields = [name for name in instrument() if name != "review_id"]
    assert sorted(mapped.columns.values()) == sorted(fields)
    for ours, known in (("decision", codes.REVIEW_DECISION), ("reason", codes.DISMISSAL)):
        theirs = choices(mapped.columns[ours])
        assert mapped.codes[ours].keys() == theirs.keys()
        assert tuple(mapped.codes[ours].values()) == known
        for code, label in theirs.items():
            first_word = mapped.codes[ours][code].split("_")[0]
            assert label.lower().startswith(first_word[:5])


def test_an_export_of_the_instrument_is_imported(desk: Desk) -> None:
    header = ",".join([*instrument(), "worklist_review_complete"])
    file = desk.file(
        f'1,A,{AS_OF},MK,2,5,,"entered twice, once wrong",2',
        f"2,C,{AS_OF},MK,3,,2026-09-01,,2",
        "3,,,,,,,,0",
        name="worklist_review_DATA.csv",
        header=header,
    )
    status, said = desk.take(file, mapping=str(MAPPING))
    assert status == 3
    assert said.startswith("2 taken, 0 known before, 1 refused")
    assert "line 4: refused: decision: empty; patient_id: empty; reviewed_at: empty" in said
    kept = store.read(desk.warehouse, NO_KEYS).sort("patient_id")
    day = pl.col("deferred_until").cast(pl.String)
    assert kept.select("patient_id", "decision", "reason", day).rows() == [
        ("A", "dismissed", "data_error", None),
        ("C", "deferred", None, "2026-09-01"),
    ]
