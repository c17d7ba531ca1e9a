"""What is not used is said: values beyond the possible, patients in no output, likely doubles."""

from datetime import date
from pathlib import Path

import polars as pl

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
