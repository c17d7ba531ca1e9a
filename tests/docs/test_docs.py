"""The documentation cannot lie: links lead somewhere, examples run, pages are current."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from typer.main import get_command

from flows.cli.thyrisk import app
from flows.job import Job
from flows.night import run_night
from flows.published.query import query
from flows.secrets import NO_KEYS
from flows.settings import Settings
from flows.show.dictionary import outputs_page
from flows.synth import synthesise
from flows.synth.files import write_export
from tests.registry import AS_OF
from transforms.reading.mapping import Mapping

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
ANALYSTS = (DOCS / "analysts.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", ANALYSTS, re.DOTALL)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the nights of a synthetic registry in out/."""
    root = tmp_path_factory.mktemp("docs")
    write_export(synthesise(200, seed=4), root / "export")
    out = root / "out"
    warehouse = out / "warehouse.duckdb"
    for day in (AS_OF.replace(day=29), AS_OF):
        run_night(Job(root / "export", out, day, warehouse, Mapping(), Settings(report=False)))
    return root


@pytest.mark.parametrize("code", blocks("python"))
def test_the_python_examples_run(place: Path, code: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=place, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) > 3


@pytest.mark.parametrize("sql", blocks("sql"))
def test_the_sql_examples_run(place: Path, sql: str) -> None:
    assert query(sql, place / "out", NO_KEYS).height > 1


@pytest.mark.parametrize("code", blocks("r"))
def test_the_r_examples_run(place: Path, code: str) -> None:
    has_arrow = 'quit(status = !requireNamespace("arrow", quietly = TRUE))'
    rscript = shutil.which("Rscript")
    if not rscript or subprocess.run([rscript, "-e", has_arrow], check=False).returncode:
        pytest.skip("R with its package arrow is not installed here")
    subprocess.run([rscript, "-e", code], cwd=place, check=True)


def test_every_link_leads_somewhere(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(tmp_path / "site")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    page = (tmp_path / "site" / "privacy" / "index.html").read_text()
    assert "fonts.g" not in page


def test_the_links_of_the_readme_lead_somewhere() -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)", (ROOT / "README.md").read_text())
    assert links and [link for link in links if not (ROOT / link).exists()] == []


def test_the_data_dictionary_is_current() -> None:
    assert (DOCS / "outputs.md").read_text() == outputs_page(), "run `make docs`"


def test_every_promise_names_a_test_that_exists() -> None:
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", (DOCS / "promises.md").read_text())
    assert len(named) > 20
    for path, test in named:
        assert f"def {test}(" in (ROOT / path).read_text(), f"{path}::{test}"


def _commands() -> set[str]:
    text = "".join(path.read_text() for path in [*DOCS.glob("*.md"), ROOT / "README.md"])
    return set(re.findall(r"thyrisk ([a-z]+)", text))


def test_the_documentation_knows_every_command_and_no_other() -> None:
    spoken = {"scores", "does"}  # "thyrisk scores a registry"
    commands = set(get_command(app).commands)  # type: ignore[attr-defined]
    assert _commands() - spoken <= commands
    assert commands <= _commands()
