"""The warehouse over the nights: it follows the contract, its typed rows, its raw text."""

import base64
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest

from flows.errors import NightRefused
from flows.published.nights import read_table
from flows.secrets import Keys
from schemas.contracts import contract, fulfilled
from schemas.fields import code
from schemas.registry import TABLES, Diagnoses
from tests.flows.conftest import RunNight
from tests.registry import AS_OF, Registry, days
from transforms.reading.mapping import Mapping

FIRST, SECOND, THIRD = (AS_OF + timedelta(days=n) for n in range(3))
KEYS = Keys(encryption=bytes(range(32)))
Query = Callable[[str], list[tuple[Any, ...]]]


class WithBraf(Diagnoses):
    """Diagnoses with one column more."""

    braf: pl.Enum = code(("mutated", "wild_type"), "BRAF status")


@pytest.fixture
def query(out: Path) -> Query:
    def run(sql: str) -> list[tuple[Any, ...]]:
        with duckdb.connect(str(out / "warehouse.duckdb"), read_only=True) as db:
            return db.execute(sql).fetchall()

    return run


@pytest.fixture
def registry() -> Registry:
    return Registry().usual("A").usual("B").stg("A", 700).stg("B", 20)


@pytest.fixture
def braf(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A contract in which the diagnoses have one column more."""
    table = TABLES["diagnoses"]
    more = replace(table, model=WithBraf, optional=table.optional | {"braf"})
    contract.cache_clear()
    fulfilled.cache_clear()
    monkeypatch.setitem(TABLES, "diagnoses", more)
    yield
    contract.cache_clear()
    fulfilled.cache_clear()


def test_a_new_column_of_the_contract_changes_no_row_that_has_nothing_in_it(
    registry: Registry,
    night: RunNight,
    query: Query,
    tmp_path: Path,
    request: pytest.FixtureRequest,
) -> None:
    night(registry.write(tmp_path / "one"), as_of=FIRST)
    request.getfixturevalue("braf")
    registry.rows["diagnoses"][1]["braf"] = "mutated"
    result = night(registry.write(tmp_path / "two"), as_of=SECOND)
    assert {name: new for name, new in result.new_versions.items() if new} == {"diagnoses": 1}
    seen = "SELECT patient_id, braf, seen_from, seen_until FROM {} ORDER BY ALL"
    versions = [("A", None, 1, None), ("B", "mutated", 2, None), ("B", None, 1, 2)]
    assert query(seen.format("raw.diagnoses")) == versions
    assert query(seen.format("valid.diagnoses_versions")) == versions
    valid = "SELECT patient_id, braf FROM valid.diagnoses ORDER BY ALL"
    assert query(valid) == [("A", None), ("B", "mutated")]
    assert night(None, as_of=FIRST).replayed


@pytest.mark.usefixtures("braf")
def test_a_new_file_has_the_new_column_everywhere(
    registry: Registry, night: RunNight, query: Query, tmp_path: Path
) -> None:
    registry.rows["diagnoses"][0]["braf"] = "wild_type"
    night(registry.write(tmp_path / "export"))
    for view in ("raw.diagnoses", "valid.diagnoses"):
        assert query(f"SELECT braf FROM {view} ORDER BY patient_id") == [("wild_type",), (None,)]


def test_typed_rows_are_those_that_the_variables_saw(
    registry: Registry, night: RunNight, query: Query, tmp_path: Path
) -> None:
    registry.rows["labs"][0]["value"] = "\u00a0700\u00a0"
    result = night(registry.write(tmp_path / "export"))
    features = pl.read_parquet(result.folder / "features.parquet", hive_partitioning=False)
    typed = query("SELECT value FROM valid.labs ORDER BY patient_id")
    assert typed == [(value,) for value in features["stg_ng_ml"]] == [(700.0,), (20.0,)]


def test_a_row_that_another_mapping_reads_otherwise_has_another_typed_version(
    registry: Registry, night: RunNight, query: Query, tmp_path: Path
) -> None:
    export = registry.write(tmp_path / "export")
    coded = Mapping.model_validate({"tables": {"labs": {"codes": {"stimulated": {"yes": "no"}}}}})
    for day, mapping in ((FIRST, Mapping()), (SECOND, coded), (THIRD, coded)):
        assert night(export, as_of=day, mapping=mapping).patients == 2
    versions = "SELECT lab_id, stimulated, seen_from, seen_until FROM valid.labs_versions"
    assert query(f"{versions} ORDER BY ALL") == [
        (lab, *version) for lab in ("L1", "L2") for version in (("no", 2, None), ("yes", 1, 2))
    ]
    assert query("SELECT DISTINCT seen_from, seen_until FROM raw.labs") == [(1, None)]


def test_a_cell_that_is_no_longer_valid_leaves_the_typed_row_and_comes_back(
    registry: Registry, night: RunNight, query: Query, tmp_path: Path
) -> None:
    born = registry.rows["patients"][0]["birth_date"]
    for number, day in enumerate((FIRST, SECOND, THIRD)):
        registry.rows["patients"][0]["birth_date"] = days(-1) if number == 1 else born
        night(registry.write(tmp_path / str(number)), as_of=day)
    versions = "SELECT seen_from, seen_until FROM valid.surgeries_versions WHERE patient_id = 'A'"
    assert query(f"{versions} ORDER BY ALL") == [(1, 2), (2, 3), (3, None)]
    assert query("SELECT DISTINCT seen_from, seen_until FROM raw.surgeries") == [(1, None)]


def test_rows_of_a_key_that_comes_twice_are_no_typed_rows(
    registry: Registry, night: RunNight, query: Query, tmp_path: Path
) -> None:
    night(registry.write(tmp_path / "one"), as_of=FIRST)
    registry.stg("A", 3).rows["labs"][-1]["lab_id"] = "L1"
    night(registry.write(tmp_path / "two"), as_of=SECOND)
    assert query("SELECT lab_id FROM valid.labs") == [("L2",)]
    versions = "SELECT lab_id, seen_from, seen_until FROM valid.labs_versions ORDER BY ALL"
    assert query(versions) == [("L1", 1, 2), ("L2", 1, None)]


def test_a_warehouse_that_was_moved_shows_its_raw_rows_where_it_is(
    registry: Registry, night: RunNight, out: Path, query: Query, tmp_path: Path
) -> None:
    export = registry.write(tmp_path / "export")
    night(export, as_of=FIRST, to=tmp_path / "before [1]")
    shutil.move(tmp_path / "before [1]", out)
    night(export, as_of=SECOND)
    assert query("SELECT lab_id, value FROM raw.labs ORDER BY ALL") == [("L1", "700"), ("L2", "20")]


def test_a_warehouse_without_its_raw_text_is_refused(
    registry: Registry, night: RunNight, out: Path, tmp_path: Path
) -> None:
    export = registry.write(tmp_path / "export")
    night(export, as_of=FIRST)
    shutil.rmtree(out / "warehouse.duckdb.raw" / "labs")
    with pytest.raises(NightRefused, match="1 files of raw text are gone"):
        night(export, as_of=SECOND)


def test_raw_text_under_an_encryption_key_can_be_read_with_the_key_alone(
    registry: Registry, night: RunNight, out: Path, query: Query, tmp_path: Path
) -> None:
    registry.reviewed("A", AS_OF, "confirmed", note="speaks Frisian")
    night(registry.write(tmp_path / "one"), as_of=FIRST)
    registry.usual("C").reviewed("C", SECOND, "confirmed", note="speaks Danish")
    registry.add("events", "C", event_id="Sorbian", type="relapse", event_date="2020-01-01")
    export = registry.write(tmp_path / "two")
    night(export, as_of=SECOND, keys=KEYS, max_bad_share=1)
    text = out / "warehouse.duckdb.raw"
    written = b"".join(path.read_bytes() for path in text.rglob("*.parquet"))
    assert b"Frisian" in written
    assert b"Danish" not in written
    assert b"Sorbian" not in written
    with duckdb.connect(str(out / "warehouse.duckdb"), read_only=True) as db:
        with pytest.raises(duckdb.Error):
            db.execute("SELECT * FROM raw.reviews").fetchall()
        key = base64.b64encode(bytes(range(32))).decode()
        db.execute(f"PRAGMA add_parquet_key('thyrisk', '{key}')")
        said = db.execute("SELECT note FROM raw.reviews ORDER BY ALL").fetchall()
    assert said == [("speaks Danish",), ("speaks Frisian",)]
    with pytest.raises(NightRefused, match="THYRISK_ENCRYPTION_KEY_FILE"):
        night(None, as_of=SECOND)
    assert query("SELECT count(*), count(original) FROM ops.quarantine") == [(1, 0)]
    again = night(None, as_of=SECOND, keys=KEYS)
    (original,) = read_table(again.folder / "quarantine.parquet", KEYS)["original"]
    assert "Sorbian" in original


def test_forgotten_rows_are_gone_from_the_disk(
    registry: Registry, night: RunNight, out: Path, query: Query, tmp_path: Path
) -> None:
    text = out / "warehouse.duckdb.raw"
    for number in range(3):
        registry.rows["labs"][0]["lab_id"] = f"LAB-{number}"
        day = date(2026, 7, 1 + number)
        night(registry.write(tmp_path / str(number)), as_of=day, keep_history=2)
    kept = pl.concat(pl.read_parquet(p, glob=False) for p in text.glob("labs/*/*.parquet"))
    assert sorted(kept["lab_id"]) == ["L2", "LAB-1", "LAB-2"]
    assert query("SELECT lab_id FROM raw.labs ORDER BY ALL") == [("L2",), ("LAB-1",), ("LAB-2",)]
    assert query("SELECT count(*) FROM valid.labs_versions") == [(3,)]
    assert night(None, as_of=date(2026, 7, 2)).patients == 2


def test_what_nobody_refers_to_is_swept(
    registry: Registry, night: RunNight, out: Path, tmp_path: Path
) -> None:
    export = registry.write(tmp_path / "export")
    night(export, as_of=FIRST)
    folder = out / "warehouse.duckdb.raw" / "labs" / "plain"
    there = sorted(folder.iterdir())
    (part,) = (path for path in there if path.name != "columns.parquet")
    for name in ("000002-9-0.parquet", "000002-9-1.new"):
        shutil.copy(part, folder / name)
    night(export, as_of=SECOND)
    assert sorted(folder.iterdir()) == there
