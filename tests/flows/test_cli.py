"""The command as a user runs it: real processes, exit statuses, what is printed."""

import json
import os
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from tests.registry import Registry

THYRISK = Path(sys.executable).with_name("thyrisk")


# What other work on the machine leaves free is no matter of these tests: on two cores with a load
# of 12 the first server of Prefect took four minutes to answer.
_ANY_MACHINE = {
    "THYRISK_MEMORY": "4GB",
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "1200",
}


def thyrisk(*arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(THYRISK), *map(str, arguments)],
        capture_output=True,
        text=True,
        env={
            **os.environ,
            **_ANY_MACHINE,
            "COLUMNS": "200",
            "THYRISK_REPORT": "false",
            **environment,
        },
        timeout=3600,
        check=False,
    )


def write_export(folder: Path) -> Path:
    registry = Registry().usual("CANARY-1").metastasis("CANARY-1", "lung")
    registry.usual("CANARY-2").add("labs", "CANARY-2", sample_date="CANARY-3")
    return registry.write(folder / "export")


@pytest.fixture
def export(tmp_path: Path) -> Path:
    return write_export(tmp_path)


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two nights, for tests that read them."""
    folder = tmp_path_factory.mktemp("published")
    out, export = folder / "it's out", write_export(folder)
    for day in ("2026-06-29", "2026-06-30"):
        same = ("--export", export, "--out", out, "--no-server", "--as-of", day)
        assert thyrisk("nightly", *same).returncode == 0
    return out


def test_a_night_publishes_and_sums_up(export: Path, tmp_path: Path) -> None:
    done = thyrisk(
        "nightly", "--export", export, "--out", tmp_path / "out", "--as-of", "2026-06-30",
        "--no-server",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "2 patients" in done.stdout
    assert "run_date=2026-06-30" in done.stdout
    assert (tmp_path / "out" / "latest" / "patient_risk.parquet").is_file()
    assert "CANARY" not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["nightly", "--export", "nowhere"], 3, "not a folder"),
        (["nightly", "--as-of", "2020-01-01"], 2, "no night of 2020-01-01"),
        (["nightly", "--as-of", "yesterday"], 2, "YYYY-MM-DD"),
        (["nightly", "--settings", "nowhere.toml"], 2, "no such file"),
        (["explain", "X"], 2, "no published night"),
    ],
)
def test_the_exit_status_says_what_happened(
    tmp_path: Path, arguments: list[str], status: int, message: str
) -> None:
    more = ["--no-server"] if arguments[0] == "nightly" else []
    done = thyrisk(*arguments, "--out", tmp_path / "out", *more)
    assert done.returncode == status, done.stderr
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_what_is_unexpected_ends_with_1_and_without_cells(export: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "warehouse.duckdb.lock").mkdir()
    done = thyrisk("nightly", "--export", export, "--out", out, "--no-server")
    assert done.returncode == 1
    assert "Is a directory; mend this" in done.stderr
    assert "Traceback" not in done.stderr


def test_explain_names_predictors_rows_points_and_what_is_missing(published: Path) -> None:
    done = thyrisk("explain", "CANARY-1", "--out", published)
    assert done.returncode == 0, done.stderr
    for words in ("metastases M1", "unknown: needs FDG PET/CT", "0 to 40", "2020-04-26"):
        assert words in done.stdout
    assert thyrisk("explain", "nobody", "--out", published).returncode == 2


def test_synth_makes_the_same_export_from_the_same_seed(tmp_path: Path) -> None:
    folders = [tmp_path / "one", tmp_path / "two"]
    for folder in folders:
        done = thyrisk("synth", "--patients", 50, "--seed", 9, "--dirt", 0.02, "--out", folder)
        assert done.returncode == 0, done.stderr
    one, two = ({p.name: p.read_bytes() for p in f.iterdir() if p.is_file()} for f in folders)
    assert one == two
    assert pl.read_parquet(folders[0] / "truth" / "patients.parquet").height == 50


def test_synth_makes_a_registry_as_it_is_and_extremes_when_asked(tmp_path: Path) -> None:
    shares = []
    for extremes in ([], ["--stress"]):
        folder = tmp_path / f"export{len(extremes)}"
        assert thyrisk("synth", "--patients", 400, *extremes, "--out", folder).returncode == 0
        found = pl.read_csv(folder / "metastases.csv")["patient_id"].n_unique()
        shares.append(found / 400)
    assert shares[0] < 0.35 < 0.6 < shares[1]


def test_demo_leaves_the_nights_of_a_registry_alone(published: Path) -> None:
    done = thyrisk("demo", "--out", published)
    assert done.returncode == 2
    assert "holds other nights" in done.stderr


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("models", ["8.4", "inferred", "published", "10.1186/s13550-022-00917-8"]),
        ("schema", ["lesion_uptake", "rrdtc_points_lower", "index date"]),
        ("settings", ["fdg_days = 7", "max_bad_share = 0.2"]),
        ("measures", ["fdg_pet_at_first_131i", "known_stg_500", "better"]),
        ("--help", ["nightly", "explain", "Exit status"]),
    ],
)
def test_the_product_describes_itself(command: str, words: list[str]) -> None:
    done = thyrisk(command)
    assert done.returncode == 0
    for word in words:
        assert word in done.stdout


def test_the_printed_settings_are_valid_settings(tmp_path: Path, export: Path) -> None:
    (tmp_path / "s.toml").write_text(thyrisk("settings").stdout)
    done = thyrisk(
        "nightly", "--export", export, "--out", tmp_path / "out", "--as-of", "2026-06-30",
        "--settings", tmp_path / "s.toml", "--no-server",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def test_without_a_server_no_socket_is_opened(export: Path, tmp_path: Path) -> None:
    script = """
import os, sys
def refuse(event, arguments):
    if event in ("socket.connect", "socket.bind", "socket.getaddrinfo"):
        os.write(2, event.encode())
        os._exit(77)
sys.addaudithook(refuse)
from flows.cli import thyrisk as cli
cli.main()
"""
    done = subprocess.run(
        [sys.executable, "-c", script, "nightly", "--export", str(export), "--no-server"]
        + ["--as-of", "2026-06-30", "--out", str(tmp_path / "out")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr + done.stdout


def test_the_nomogram_is_a_picture_with_the_patient_on_it(published: Path, tmp_path: Path) -> None:
    done = thyrisk(
        "nomogram", "liu2022_score", "--patient", "CANARY-1", "--out", published,
        "--picture", tmp_path / "drawn",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    svg, png = (tmp_path / "drawn.svg").read_text(), (tmp_path / "drawn.png").read_bytes()
    assert png.startswith(b"\x89PNG")
    for words in ("18F-FDG uptake", "Total points", "high risk"):
        assert words in svg
    assert "CANARY" not in svg
    assert thyrisk("nomogram", "liu2022_score", "--patient", "X").returncode == 2


@pytest.mark.parametrize("how", ["json", "sql", "r"])
def test_a_model_is_exported_for_other_systems(how: str) -> None:
    done = thyrisk("models", "export", "jin2025_pfs", "--format", how)
    assert done.returncode == 0
    assert "jin2025_pfs" in done.stdout


def test_a_model_that_is_none_is_wrong_usage() -> None:
    assert thyrisk("models", "export", "nothing").returncode == 2


def test_query_sees_all_nights_as_one_and_the_latest_alone(published: Path) -> None:
    sql = "SELECT run_date, count(*) AS patients FROM patient_risk GROUP BY ALL ORDER BY ALL"
    done = thyrisk("query", sql, "--out", published, "--format", "csv")
    assert done.stdout == "run_date,patients\n2026-06-29,2\n2026-06-30,2\n"
    latest = thyrisk("query", "SELECT DISTINCT as_of FROM latest.features", "--out", published)
    assert "2026-06-30" in latest.stdout and "2026-06-29" not in latest.stdout
    wrong = thyrisk("query", "SELECT nothing", "--out", published)
    assert wrong.returncode == 2 and "nothing" in wrong.stderr


def test_operators_commands_work_from_the_shell(export: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert thyrisk("status", "--out", out).returncode == 1
    same = ("--export", export, "--out", out, "--no-server")
    assert thyrisk("nightly", *same).returncode == 0
    assert thyrisk("verify", out / "latest", "--export", export).returncode == 0
    status = thyrisk("status", "--out", out, "--json")
    assert status.returncode == 0
    assert json.loads(status.stdout)["patients"] == 2
    assert thyrisk("backup", "--out", out, "--to", tmp_path / "copy.tar").returncode == 0
    (out / "latest" / "worklist.csv").write_text("")
    broken = thyrisk("verify", out / "latest")
    assert (broken.returncode, "worklist.csv" in broken.stdout) == (1, True)
    key = {"THYRISK_PSEUDONYM_KEY": "a key of the test, long enough"}
    assert len(thyrisk("pseudonym", "CANARY-1", **key).stdout.strip()) == 32
    assert thyrisk("pseudonym", "CANARY-1").returncode == 2
