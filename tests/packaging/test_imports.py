"""What takes long to import is imported by the commands that need it, and by no other."""

import subprocess
import sys
from pathlib import Path

import pytest

_SLOW = {"prefect", "altair", "vl_convert"}
_REPORT = """
import sys
from flows.cli.thyrisk import app
try:
    app(sys.argv[1:])
except SystemExit as end:
    assert not end.code
print("imported:", *(sys.modules.keys() & set(sys.stdin.read().split())))
"""


def imported(names: set[str], *command: str) -> set[str]:
    """Return which of `names` a command of thyrisk has imported at its end."""
    done = subprocess.run(
        [sys.executable, "-c", _REPORT, *command],
        input=" ".join(names),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return set(done.stdout.rsplit("imported:", 1)[1].split())


@pytest.fixture
def export(tmp_path: Path) -> Path:
    imported(set(), "synth", "--patients", "20", "--out", str(tmp_path / "export"))
    return tmp_path / "export"


def test_help_imports_nothing_that_takes_long() -> None:
    most = {"polars", "pandera", "duckdb", "pyarrow", "numpy", "jinja2"}
    assert imported(_SLOW | most, "--help") == set()


def test_a_night_imports_only_what_it_uses(export: Path, tmp_path: Path) -> None:
    night = ("nightly", "--export", str(export), "--as-of", "2026-06-30", "--no-server")
    settings = tmp_path / "settings.toml"
    settings.write_text("report = false\n")
    quiet = ("--out", str(tmp_path / "quiet"), "--settings", str(settings))
    assert imported(_SLOW | {"jinja2", "duckdb"}, *night, *quiet) == {"duckdb"}
    told = ("--out", str(tmp_path / "told"))
    # The page is made in a process of its own.
    assert imported(_SLOW | {"duckdb"}, *night, *told) == {"duckdb"}
    assert (tmp_path / "told" / "latest" / "report.html").is_file()


@pytest.mark.parametrize("command", [["models"], ["models", "show", "jin2025_os"], ["settings"]])
def test_looking_things_up_imports_no_chart_and_no_server(command: list[str]) -> None:
    assert imported(_SLOW | {"duckdb"}, *command) == set()
