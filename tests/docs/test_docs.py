"""The documentation cannot lie: links lead somewhere, examples run, pages are current."""

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from pydantic.fields import FieldInfo
from typer.main import get_command

from docs.generate import pages
from docs.pages.mapping import EXAMPLES, keys
from docs.picture import SEEN, looks
from flows.cli.thyrisk import app
from flows.job import Job
from flows.night import run_night
from flows.published.query import query
from flows.secrets import NO_KEYS
from flows.settings import Settings, load_settings
from flows.synth import synthesise
from flows.synth.files import write_export
from schemas import codes
from tests.registry import AS_OF
from transforms.reading.mapping import Mapping
from transforms.review.listing import Listing
from transforms.variables.windows import Windows

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = pages()
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


@pytest.mark.parametrize("path", PAGES)
def test_what_is_made_from_the_code_is_current(path: str) -> None:
    assert (DOCS / path).read_text() == PAGES[path], "run `make docs`"


def test_no_page_of_a_variable_is_left_over() -> None:
    there = {path.relative_to(DOCS).as_posix() for path in (DOCS / "variables").glob("*.md")}
    assert there == {path for path in PAGES if path.startswith("variables/")}


def test_every_page_is_in_the_navigation() -> None:
    named = set(re.findall(r"[\w/-]+\.md", (ROOT / "mkdocs.yml").read_text()))
    assert named == {path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md")}


def test_every_key_of_the_mapping_has_an_example_that_uses_it() -> None:
    assert set(EXAMPLES) == set(keys())
    for key, example in EXAMPLES.items():
        assert key.rpartition(".")[2] in example or key == "coverage.<what>.status", key


def _toml_blocks() -> list[str]:
    texts = [path.read_text() for path in [*DOCS.rglob("*.md"), ROOT / "README.md"]]
    return [block for text in texts for block in re.findall(r"```toml\n(.*?)```", text, re.DOTALL)]


@pytest.mark.parametrize("block", _toml_blocks())
def test_every_mapping_in_the_manual_is_one(block: str) -> None:
    assert Mapping(**tomllib.loads(block)) != Mapping()


def _numbers(fields: dict[str, FieldInfo], section: str = "") -> list[tuple[str, str, float]]:
    return [
        (section, name, field.default)
        for name, field in fields.items()
        if type(field.default) in (int, float)
    ]


@pytest.mark.parametrize(
    ("section", "name", "default"),
    [
        *_numbers(Settings.model_fields),
        *_numbers(Windows.model_fields, "windows"),
        *_numbers(Listing.model_fields, "listing"),
    ],
)
def test_the_variable_of_a_setting_sets_it(
    monkeypatch: pytest.MonkeyPatch, section: str, name: str, default: float
) -> None:
    page = (DOCS / "reference" / "settings.md").read_text()
    (variable,) = re.findall(rf"\| `{name}` \|.* `(THYRISK_\w+)` \|", page)
    monkeypatch.setenv(variable, f"{default / 2 if isinstance(default, float) else default + 1}")
    settings = load_settings(None)
    assert getattr(getattr(settings, section) if section else settings, name) != default


def test_every_promise_names_a_test_that_exists() -> None:
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", (DOCS / "promises.md").read_text())
    assert len(named) > 20
    for path, test in named:
        assert f"def {test}(" in (ROOT / path).read_text(), f"{path}::{test}"


def _commands() -> set[str]:
    text = "".join(path.read_text() for path in [*DOCS.glob("*.md"), ROOT / "README.md"])
    return set(re.findall(r"(?m)(?:`|/|^ {4,}.*?)thyrisk ([a-z]+)", text))


def test_the_documentation_knows_every_command_and_no_other() -> None:
    commands = set(get_command(app).commands)  # type: ignore[attr-defined]
    assert _commands() <= commands
    assert commands <= _commands()


def test_the_words_of_the_outputs_are_in_the_glossary() -> None:
    glossary = (DOCS / "glossary.md").read_text()
    of_results = {*codes.MODEL_STATUS, *codes.RISK, *codes.NEED, *codes.UPTAKE_CATEGORY}
    said = {word for word in of_results if not re.search(rf"\b{word}\b", glossary)}
    assert said == set()


def test_rows_are_quarantined_and_cells_set_aside() -> None:
    texts = {path: path.read_text() for path in [*DOCS.rglob("*.md"), ROOT / "README.md"]}
    wrong = (
        r"rejected (?:row|cell)|(?:row|cell)s? (?:\w+ )?rejected"
        r"|rows? (?:(?:that )?(?:is|are|was|were) )?set aside|cells? [\w ]*quarantined"
    )
    found = {str(path): re.findall(wrong, text) for path, text in texts.items()}
    assert {path: words for path, words in found.items() if words} == {}


def test_the_pictures_are_of_the_page_as_it_is() -> None:
    assert SEEN.read_text().strip() == looks(), "the page looks otherwise: `make pictures`"
