"""File names, paths and mappings can name a patient: under pseudonyms they are nowhere.

Prefect keeps none of them in any night, and a refused one ends there with its message alone.
"""

import os
import sqlite3
import subprocess
from pathlib import Path

import polars as pl
import pytest

from flows.published.nights import nights
from tests.flows.conftest import PrefectHome
from tests.flows.test_cli import thyrisk
from tests.flows.test_privacy import is_in, kept_by_prefect
from tests.registry import AS_OF, Registry

CANARY = "CANARY"
KEY = "a key of the test, long enough"


@pytest.fixture
def export(tmp_path: Path) -> Path:
    registry = Registry().usual("A", 62).metastasis("A", "lung").ct("A").usual("B")
    registry.stg("A", 300).add("labs", "B", analyte="Tg", sample_date="soon", value="1")
    folder = registry.write(tmp_path / f"export of {CANARY}")
    (folder / "labs.csv").rename(folder / f"labs-{CANARY}.csv")
    (folder / f"lab {CANARY}.csv").write_text("no table\n")
    return folder


@pytest.fixture
def mapping(tmp_path: Path) -> Path:
    path = tmp_path / "mapping.toml"
    path.write_text(f'[tables.patients]\ncodes = {{ sex = {{ {CANARY} = "female" }} }}\n')
    return path


def nightly(
    export: Path, mapping: Path, base: Path, *more: str, **environment: str
) -> subprocess.CompletedProcess[str]:
    (base / "prefect").mkdir(parents=True, exist_ok=True)
    return thyrisk(
        *("nightly", "--export", export, "--out", base / "out", "--as-of", AS_OF),
        *("--mapping", mapping, *more),
        PREFECT_HOME=str(base / "prefect"),
        HOME=str(base),
        **environment,
    )


def test_under_pseudonyms_no_name_of_a_file_and_no_mapping_is_published(
    export: Path, mapping: Path, tmp_path: Path
) -> None:
    base = tmp_path / "base"
    done = nightly(export, mapping, base, "--no-server", THYRISK_PSEUDONYM_KEY=KEY)
    assert done.returncode == 0, done.stderr
    assert CANARY not in done.stdout + done.stderr
    (folder,) = nights(base / "out")
    assert CANARY not in (folder / "run.json").read_text()
    for path in folder.glob("*.parquet"):
        assert CANARY not in str(pl.read_parquet(path).to_dicts()), path.name
    files = pl.read_parquet(folder / "quarantine.parquet")["file"].to_list()
    assert set(files) == {"labs"}
    again = thyrisk(
        *("nightly", "--out", base / "out", "--as-of", AS_OF, "--no-server"),
        THYRISK_PSEUDONYM_KEY=KEY,
    )
    assert again.returncode == 0, again.stderr
    assert pl.read_parquet(folder / "quarantine.parquet")["file"].to_list() == files


@pytest.mark.skipif(
    "THYRISK_PREFECT_KILLS" not in os.environ,
    reason="a Prefect server of its own; the next test asks it of a refused night: `make promises`",
)
def test_prefect_keeps_no_path_and_no_name_of_a_file(
    export: Path, mapping: Path, tmp_path: Path, prefect_home: PrefectHome
) -> None:
    base = tmp_path / "base"
    prefect_home(base / "prefect")
    done = nightly(export, mapping, base)
    assert done.returncode == 0, done.stderr
    kept = kept_by_prefect(base)
    assert is_in("thyrisk-rows", kept)
    assert not is_in(CANARY, kept)


def test_a_refused_night_is_a_failed_run_with_its_message_and_no_traceback(
    export: Path, mapping: Path, tmp_path: Path, prefect_home: PrefectHome
) -> None:
    base = tmp_path / "base"
    prefect_home(base / "prefect")
    (export / f"labs-{CANARY}.csv").write_bytes(b'"lab_id')
    done = nightly(export, mapping, base)
    assert done.returncode == 3
    assert "Traceback" not in done.stdout + done.stderr
    assert f"labs-{CANARY}.csv" in done.stderr, "who runs it is told which file"
    kept = kept_by_prefect(base)
    assert not is_in(CANARY, kept)
    assert not is_in("Traceback", kept)
    with sqlite3.connect(base / "prefect" / "prefect.db") as db:
        ends = db.execute(
            "SELECT s.type, s.message FROM flow_run r JOIN flow_run_state s ON s.id = r.state_id"
        )
        ((kind, message),) = ends.fetchall()
    assert kind == "FAILED"
    assert message.startswith("labs: ")
