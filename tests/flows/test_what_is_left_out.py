"""What is not used is said: values beyond the possible, patients in no output, likely doubles."""

from datetime import date
from pathlib import Path
from typing import cast

import polars as pl
import pytest

from flows.errors import NightRefused
from flows.secrets import Keys
from flows.synth import synthesise
from tests.flows.conftest import RunNight
from tests.registry import Registry


def test_what_is_unusual_is_used_and_counted(night: RunNight, tmp_path: Path) -> None:
    registry = Registry().usual("A").ct("A", size=45, unit="mm").lab("A", "TSH", 1500, "mIU/L")
    registry.rows["diagnoses"][0] |= {"tumour_size": 12, "tumour_size_unit": "cm"}
    result = night(registry.write(tmp_path / "export"))
    assert sum(file.cells_set_aside for file in result.files) == 0
    said = [warning for warning in result.warnings if "usual" in warning]
    assert said == [
        "diagnoses.tumour_size: beyond the usual 0.1 to 10 cm (1 values)",
        "labs.value: beyond the usual 0 to 1000 TSH mIU/L or uIU/mL or µIU/mL (1 values)",
        "imaging.largest_lung_nodule: beyond the usual 1 to 30 mm (1 values)",
    ]


def test_the_reason_names_range_and_unit_and_no_value(night: RunNight, tmp_path: Path) -> None:
    registry = (
        Registry()
        .usual("A")
        .treated("A", on=date(2021, 1, 1), activity=5432.1, activity_unit="GBq")
    )
    folder = night(registry.write(tmp_path / "export")).folder
    (why,) = pl.read_parquet(folder / "quarantine.parquet")["reasons"].explode().to_list()
    assert why == "activity: not possible in GBq, 0 to 40"


def left_out(folder: Path) -> dict[str, dict[str, object]]:
    rows = pl.read_parquet(folder / "patients_left_out.parquet").to_dicts()
    return {str(row["patient_id"]): row for row in rows}


def write(tables: dict[str, pl.DataFrame], folder: Path) -> Path:
    folder.mkdir()
    for name, rows in tables.items():
        rows.write_csv(folder / f"{name}.csv")
    return folder


def test_every_identifier_received_is_in_every_output_or_on_the_list_with_its_reason(
    night: RunNight, tmp_path: Path
) -> None:
    tables = synthesise(80, seed=2, dirt=0.08).tables
    received = {patient for rows in tables.values() for patient in rows["patient_id"]}
    folder = night(write(tables, tmp_path / "export")).folder
    listed = left_out(folder)
    gone = {patient for patient, row in listed.items() if row["is_left_out"]}
    assert gone == {"X000"}
    assert listed["X000"]["rows"] == sum(
        rows.filter(patient_id="X000").height for rows in tables.values()
    )
    assert all(row["reasons"] for row in listed.values())
    for name in ("patient_risk", "features", "model_scores"):
        there = set(pl.read_parquet(folder / f"{name}.parquet")["patient_id"])
        assert there | gone == received
        assert not there & gone


def test_a_patient_of_later_rows_alone_is_on_the_list(night: RunNight, tmp_path: Path) -> None:
    registry = Registry().usual("A").event("B", "recurrence", date(2031, 1, 1))
    listed = left_out(night(registry.write(tmp_path / "export")).folder)
    assert listed["B"]["is_left_out"]
    assert any(
        "after the as-of date" in str(why) for why in cast(list[str], listed["B"]["reasons"])
    )


def test_a_birth_date_in_the_future_sets_the_cell_aside_and_keeps_the_patient(
    night: RunNight, tmp_path: Path
) -> None:
    registry = Registry().usual("A").patient("B", birth_date=date(2031, 1, 1)).diagnosed("B")
    folder = night(registry.write(tmp_path / "export")).folder
    assert set(pl.read_parquet(folder / "patient_risk.parquet")["patient_id"]) == {"A", "B"}
    assert left_out(folder) == {}


def test_patients_of_whom_too_many_are_not_born_yet_refuse_the_night(
    night: RunNight, tmp_path: Path
) -> None:
    registry = Registry()
    for n in range(40):
        registry.usual(f"P{n}", **({"birth_date": date(2031, 1, 1)} if n < 12 else {}))
    with pytest.raises(NightRefused, match="patients: 12 of 40 rows are bad"):
        night(registry.write(tmp_path / "export"))


ALIKE = {
    "case": ("p7", "P7"),
    "width": ("\uff30\uff17", "P7"),
    "leading zeros": ("P007", "P7"),
    "a zero-width space": ("P\u200b7", "P7"),
    "a byte-order mark": ("\ufeffP7", "P7"),
    "a soft hyphen": ("P\u00ad7", "P7"),
}


@pytest.mark.parametrize("how", ALIKE)
def test_identifiers_that_look_alike_are_reported_and_never_merged(
    how: str, night: RunNight, tmp_path: Path
) -> None:
    one, other = ALIKE[how]
    registry = Registry().usual(other).usual("P70").treated(one, on=date(2021, 1, 1))
    result = night(registry.write(tmp_path / "export"))
    listed = left_out(result.folder)
    assert listed.keys() == {one, other}
    assert listed[other]["likely_same_as"] == [one]
    assert listed[one]["likely_same_as"] == [other]
    assert (listed[one]["is_left_out"], listed[other]["is_left_out"]) == (True, False)
    assert "2 identifiers are likely the same as another" in " ".join(result.warnings)
    courses = pl.read_parquet(result.folder / "features.parquet")["courses"]
    assert courses.to_list() == [1, 1]


def test_the_list_has_pseudonyms_where_the_night_has(night: RunNight, tmp_path: Path) -> None:
    registry = Registry().usual("P7").usual("p7").treated("P07", on=date(2021, 1, 1))
    keys = Keys(pseudonym=b"a key of the test, long enough")
    listed = left_out(night(registry.write(tmp_path / "export"), keys=keys).folder)
    assert len(listed) == 3
    for patient, row in listed.items():
        assert set(cast(list[str], row["likely_same_as"])) == listed.keys() - {patient}
    assert not {"P7", "p7", "P07"} & listed.keys()
