"""A cohort as public ones are, brought in by its mapping alone, in real nights."""

import json
from datetime import date
from io import StringIO
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from rich.console import Console

from flows.errors import NightRefused
from flows.job import Job
from flows.outputs import Result
from flows.rebuild.rebuild import rebuild
from flows.secrets import Keys
from flows.settings import Settings, load_mapping
from flows.show.explain import explain
from tests.flows.conftest import RunNight

COHORT = Path("examples/cohort")
AS_OF = date(2016, 1, 1)
MAPPING = load_mapping(COHORT / "mapping.toml")


def cohort(night: RunNight, **more: Any) -> Result:
    return night(COHORT / "export", as_of=AS_OF, mapping=MAPPING, max_bad_share=1.0, **more)


def read(result: Result, name: str) -> pl.DataFrame:
    return pl.read_parquet(result.folder / f"{name}.parquet")


def test_each_record_of_nine_files_is_accounted_for(night: RunNight, tmp_path: Path) -> None:
    first = cohort(night)
    by_file = {row["file"]: row for row in first.sources}
    assert len(by_file) == 9
    for name, row in by_file.items():
        text = (COHORT / "export" / name).read_bytes().splitlines()
        headers = 0 if name.endswith(".ndjson") else 1 if name.endswith(".csv") else 3
        assert row["records"] == len(text) - headers
        fates = (row[fate] for fate in ("emitted", "merged", "rejected", "left_out"))
        assert sum(fates) == row["records"]
    ledger = read(first, "ledger")
    told = ledger.group_by("table").agg(pl.col("^rows.*$").sum()).drop_nulls("table")
    files = pl.DataFrame([vars(file) for file in first.files]).group_by("table")
    counted = files.agg(pl.col("rows_read", "rows_loaded", "rows_quarantined", "duplicates").sum())
    assert sorted(told.filter(pl.col("rows") > 0).rows()) == sorted(counted.rows())

    # What no code or pattern covers is set aside with its text, at the line of its own file.
    aside = read(first, "quarantine").filter(table="i131_treatments", cell="activity")
    texts = aside["original"].str.json_path_match("$.activity")
    assert dict(zip(aside["line"], texts, strict=True)) == {8: "100-150 mCi", 10: "one capsule"}
    assert set(aside["file"]) == {"radiation.txt"}
    left = ledger.filter(file="radiation.txt", fate="left_out")
    assert left.select("record", "reason").rows() == [(11, "no radioisotope")]

    # What is taken for granted is published.
    report = json.loads((first.folder / "run.json").read_text())
    assert {"table": "labs", "rule": "labs.1", "column": "unit"}.items() <= next(
        one for one in report["assumptions"] if one["column"] == "unit"
    ).items()

    # A flag leads to the row, the row to the record, and the record to its text.
    console = Console(record=True, width=200, file=StringIO())
    explain("TC-02", first.folder.parent, None, console)
    said = console.export_text()
    assert "i131_treatments TC-02-5: radiation.txt, record 5, by i131_treatments.1" in said
    assert "total_dose = 150mi" in said

    again = cohort(night, to=tmp_path / "again")
    for name in ("ledger", "patient_risk", "quarantine", "features"):
        one, other = (r.folder / f"{name}.parquet" for r in (first, again))
        assert one.read_bytes() == other.read_bytes()
    replayed = night(None, as_of=AS_OF, mapping=MAPPING, max_bad_share=1.0)
    assert read(replayed, "patient_risk").equals(read(first, "patient_risk"))
    assert read(replayed, "ledger").equals(ledger)


def test_under_pseudonyms_the_ledger_names_neither_files_nor_rows_nor_texts(
    night: RunNight,
) -> None:
    result = cohort(night, keys=Keys(pseudonym=b"0123456789abcdef"))
    ledger = read(result, "ledger")
    assert not [name for name in ledger["file"].unique() if "." in name]
    assert ledger["row_keys"].list.len().sum() == 0
    assert ledger["text"].null_count() == ledger.height
    assert "radiation.txt" not in (result.folder / "run.json").read_text()


def test_a_source_without_a_file_refuses_the_night(night: RunNight, tmp_path: Path) -> None:
    folder = tmp_path / "export"
    folder.mkdir()
    for path in (COHORT / "export").iterdir():
        if path.name != "radiation.txt":
            (folder / path.name).write_bytes(path.read_bytes())
    with pytest.raises(NightRefused, match=r"no file radiation\.txt for the source radiation"):
        night(folder, as_of=AS_OF, mapping=MAPPING)


def test_a_damaged_warehouse_is_made_anew_from_the_hospitals_own_files(
    night: RunNight, out: Path
) -> None:
    first = cohort(night)
    ledger = read(first, "ledger")
    warehouse = out / "warehouse.duckdb"
    warehouse.write_bytes(b"damaged")
    settings = Settings(report=False, memory="4GB", max_bad_share=1.0)
    job = Job(None, out, AS_OF, warehouse, MAPPING, settings)
    done = rebuild(job, None, [str(COHORT / "export")])
    assert not done.lacking
    assert read(cohort(night), "ledger").equals(ledger)
