"""Proof of a night by computing it anew: forged checksums are not enough."""

import json
import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flows.disk import sha256
from flows.published.nights import read_run
from flows.published.verify import problems_of, remarks_on
from flows.secrets import NO_KEYS, Keys
from tests.flows.conftest import RunNight, publish
from tests.registry import AS_OF, Registry

BEFORE = AS_OF - timedelta(days=1)
KEYS = Keys(pseudonym=b"a key of the test, long enough")


def write(folder: Path) -> Path:
    registry = Registry().usual("A", 62).metastasis("A", "lung").ct("A").usual("B")
    registry.add("surgeries", "B", surgery_date="2031-02-31", procedure="total")
    registry.add("labs", "B", analyte="Tg", sample_date="2020-06-01", value="x", unit="ng/mL")
    registry.add("labs", "nobody", analyte="Tg", sample_date="2020-06-01", value="1")
    return registry.write(folder)


@pytest.fixture
def export(tmp_path: Path) -> Path:
    return write(tmp_path / "export")


@pytest.fixture(scope="module")
def honest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the export of a night, beside its output."""
    root = tmp_path_factory.mktemp("honest")
    publish(write(root / "export"), root / "out")
    return root


def forge(folder: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """Change run.json, and let it promise the bytes that are there."""
    report = json.loads((folder / "run.json").read_text())
    change(report)
    report["outputs"] = {p.name: sha256(p) for p in folder.iterdir() if p.name != "run.json"}
    (folder / "run.json").write_text(json.dumps(report))


def rewrite(folder: Path, name: str, **columns: pl.Expr) -> None:
    """Change a published table, and everything that would show it by its bytes."""
    path = folder / f"{name}.parquet"
    identity = {k: v for k, v in pl.read_parquet_metadata(path).items() if k.startswith("thy")}
    pl.read_parquet(path).with_columns(**columns).write_parquet(path, metadata=identity)
    forge(folder, lambda _: None)


def shorten(folder: Path, name: str) -> None:
    """Take every row out of a published table, unseen by its bytes."""
    path = folder / f"{name}.parquet"
    identity = {k: v for k, v in pl.read_parquet_metadata(path).items() if k.startswith("thy")}
    pl.read_parquet(path).clear().write_parquet(path, metadata=identity)
    forge(folder, lambda _: None)


HIGH = pl.lit("high", dtype=pl.Enum(["high", "low", "indeterminate", "not_applicable"]))


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (
            lambda f: rewrite(f, "patient_risk", rrdtc_flag=HIGH),
            "rrdtc_flag: 2 are not as liu2022_score scored them",
        ),
        (
            lambda f: rewrite(f, "model_scores", points_lower=pl.lit(9999.0)),
            "jin2025_os: 1 risk groups are not their points'",
        ),
        (
            lambda f: rewrite(f, "patient_risk", as_of=pl.lit(BEFORE)),
            "as_of is not that of run.json",
        ),
        (
            lambda f: rewrite(f, "features", patient_id=pl.lit("Z")),
            "features.parquet: other patients",
        ),
        (
            lambda f: rewrite(f, "quarantine", cell=pl.lit(None, dtype=pl.String)),
            "quarantine.parquet: 0 cells, not the",
        ),
        (
            lambda f: rewrite(f, "profile", figure=pl.col("figure") + 1),
            "profile.parquet: 3 rows of patients, its files have 2",
        ),
        (
            lambda f: rewrite(f, "patients_left_out", is_left_out=pl.lit(False)),
            "patients_left_out.parquet: 0 left out, quarantine.parquet names 1",
        ),
        (
            lambda f: rewrite(f, "patients_left_out", patient_id=pl.lit("A")),
            "patients_left_out.parquet: patients who are in patient_risk",
        ),
        *(
            (
                lambda f, name=name: shorten(f, name),
                f"{name}.parquet: 0 rows, run.json counted",
            )
            for name in ("profile", "patients_left_out", "features", "criteria")
        ),
        (
            lambda f: shutil.copy(f / "features.parquet", f / "needs.parquet"),
            "needs.parquet: its sha256",
        ),
        (lambda f: forge(f, lambda r: r["flags"]["os_risk_group"].update(high=9)), "other counts"),
        (lambda f: forge(f, lambda r: r.update(run_id="0" * 16)), "its run_id is not that"),
        (lambda f: forge(f, lambda r: r["files"][0].update(lines=0)), "rows read of 0 lines"),
        (lambda f: forge(f, lambda r: r["files"][0].update(cells_set_aside=7)), "cells, not the"),
    ],
)
def test_a_forged_night_is_found_out_by_computing_it_anew(
    honest: Path, out: Path, damage: Callable[[Path], None], says: str
) -> None:
    shutil.copytree(honest / "out", out, symlinks=True)
    folder = out / f"run_date={AS_OF}"
    assert problems_of(folder, NO_KEYS, honest / "export", out / "warehouse.duckdb") == []
    damage(folder)
    assert [p for p in problems_of(folder, NO_KEYS) if says in p], problems_of(folder, NO_KEYS)


def test_a_night_in_another_folder_or_unknown_to_the_warehouse_is_found_out(
    export: Path, night: RunNight, out: Path
) -> None:
    folder = night(export).folder
    warehouse = out / "warehouse.duckdb"
    assert problems_of(out / "latest", NO_KEYS, warehouse=warehouse) == []
    moved = out / "run_date=2026-01-01"
    shutil.copytree(folder, moved)
    assert problems_of(moved, NO_KEYS) == [
        "run.json: the night of 2026-06-30, in the folder run_date=2026-01-01"
    ]
    with duckdb.connect(str(warehouse)) as db:
        db.execute("UPDATE ops.files SET rows_loaded = 0 WHERE table_name = 'labs'")
    (problem,) = problems_of(folder, NO_KEYS, warehouse=warehouse)
    assert "counted the rows" in problem
    with duckdb.connect(str(warehouse)) as db:
        db.execute("UPDATE ops.runs SET run_id = 'another'")
    (problem,) = problems_of(folder, NO_KEYS, warehouse=warehouse)
    assert "another run" in problem
    warehouse.write_bytes(b"no warehouse")
    assert problems_of(folder, NO_KEYS, warehouse=warehouse) == []
    assert any("cannot be opened" in r for r in remarks_on(folder, NO_KEYS, warehouse))


def test_a_changed_past_night_shows_in_the_next(export: Path, night: RunNight) -> None:
    first, second = (night(export, as_of=day).folder for day in (BEFORE, AS_OF))
    assert problems_of(second, NO_KEYS) == []
    night(None, as_of=BEFORE)
    assert problems_of(second, NO_KEYS) == []
    assert f"run_date={BEFORE} was run again after this night" in remarks_on(second, NO_KEYS)
    forge(first, lambda report: report.update(newly_flagged=9, replayed=False))
    assert problems_of(second, NO_KEYS) == [
        f"run_date={BEFORE}: its run.json is not the one that this night was compared with"
    ]


def test_the_key_of_the_pseudonyms_signs_the_night(export: Path, night: RunNight) -> None:
    folder = night(export, keys=KEYS).folder
    assert problems_of(folder, KEYS) == []
    assert any("signed" in remark for remark in remarks_on(folder, NO_KEYS))
    other = Keys(pseudonym=b"another key, long enough")
    assert any("its signature" in problem for problem in problems_of(folder, other))
    forge(folder, lambda report: report["warnings"].append("forged"))
    assert [p for p in problems_of(folder, KEYS) if "its signature" in p]
    forge(folder, lambda report: report.pop("signature"))
    assert "run.json: not signed" in problems_of(folder, KEYS)


WRONG = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(), inner, max_size=2),
    max_leaves=4,
)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("whole")
    return publish(Registry().usual("A", 62).write(root / "export"), root / "out").folder


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_a_broken_run_json_is_said_so_whatever_is_wrong_in_it(
    whole: Path, data: st.DataObject
) -> None:
    text = (whole / "run.json").read_text()
    report = json.loads(text)
    place = report
    field = data.draw(st.sampled_from(sorted(report)))
    while data.draw(st.booleans()) and isinstance(place[field], dict) and place[field]:
        place = place[field]
        field = data.draw(st.sampled_from(sorted(place)))
    place[field] = data.draw(WRONG)
    try:
        (whole / "run.json").write_text(json.dumps(report))
        for problem in problems_of(whole, KEYS):
            assert isinstance(problem, str)
        remarks_on(whole, KEYS)
        read_run(whole)
    finally:
        (whole / "run.json").write_text(text)


@pytest.mark.parametrize("text", ["", "[]", "3", '{"a": 1}', "[" * 100_000, '"\ud800"', "\x00"])
def test_a_run_json_that_is_none_is_said_so(whole: Path, tmp_path: Path, text: str) -> None:
    folder = tmp_path / whole.name
    shutil.copytree(whole, folder)
    (folder / "run.json").write_bytes(text.encode("utf-8", "surrogatepass"))
    (problem,) = problems_of(folder, NO_KEYS)
    assert problem.startswith("run.json: ")
