"""The page of a validation, and the checklist beside it."""

import re
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from axe_playwright_python.sync_playwright import Axe

from flows.checklist import AUTHORS, as_markdown, checklist
from flows.participants import COMPLETE, EVERYBODY, NO_INDEX
from flows.subgroups import Asked
from flows.validation import Validation, validate, write
from models.performance.evaluation import Options
from tests.flows.report.conftest import Open
from tests.models.performance.r import data

HOSTILE = '<img src=x onerror="document.title=1">|'
FACTS = {"model": "jin2025_os", "title": "Overall survival nomogram", "doi": "10.1038/x",
         "citation": "Jin, Ye", "citation_short": "Jin", "night": "2026-06-30",
         "baseline": "The baseline is inferred."}  # fmt: skip


@pytest.fixture(scope="module")
def made() -> Validation:
    """Return a validation of the GBSG patients, with a centre of a name that is markup."""
    gbsg = data("gbsg").with_row_index()
    odd = pl.when(pl.col("index") % 2 == 0).then(pl.lit(HOSTILE)).otherwise(pl.lit("B"))
    bounded = pl.when(pl.col("index") > 20).then("risk")
    frame = gbsg.with_columns(
        centre=odd, risk=bounded, risk_lower=pl.lit(0.1), risk_upper=pl.lit(0.9)
    ).drop("linear_predictor")
    options = Options(minimum_events=50, repeats=20, cutoff=0.3)
    done = validate(frame, Asked(by=("centre",), horizons=(5.0,), options=options))
    steps = [(EVERYBODY, 800), (NO_INDEX, None), (COMPLETE, 665)]
    flow = [{"step": step, "patients": count} for step, count in steps]
    about: dict[str, Any] = done.about | {"facts": FACTS, "flow": {"second course": flow}}
    return Validation(done.figures, done.curves, about)


@pytest.fixture(scope="module")
def written(made: Validation, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return next(
        path
        for path in write(made, tmp_path_factory.mktemp("validation"), "077")
        if path.suffix == ".html"
    )


def test_the_page_has_flow_figures_curves_groups_subgroups_and_checklist(
    written: Path, opens: Open
) -> None:
    page = opens(written)
    said = page.inner_text("main")
    for words in ("Who was validated", "immortal time", "Uno's C", "Over the bounds",
                  "At risk (with the event by then)", "random effects", "TRIPOD+AI"):  # fmt: skip
        assert words in said, words
    labels = page.locator("svg[role=img]").evaluate_all("all => all.map(one => one.ariaLabel)")
    for words in ("Calibration curve", "Decision curve", "risk group", "Slope by centre"):
        assert any(words in label for label in labels), words
    assert page.locator("img").count() == 0
    assert HOSTILE in str(page.locator("svg[aria-label^='Slope']").text_content())


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious_in_a_validation(written: Path, opens: Open, scheme: str) -> None:
    page = opens(written, bypass_csp=True, color_scheme=scheme)
    found = Axe().run(page).response["violations"]
    assert [v["id"] for v in found if v["impact"] in ("serious", "critical")] == []


def test_a_validation_is_one_file_that_fetches_nothing(written: Path) -> None:
    text = written.read_text()
    assert set(re.findall(r"https?://[^\s\"'<)]+", text)) == set()
    assert "default-src 'none'" in text


def test_every_item_is_there_and_what_is_not_known_is_left_to_the_authors(
    made: Validation,
) -> None:
    items = checklist(made.about, made.figures)
    assert {int(re.match(r"\d+", item["number"])[0]) for item in items} == set(range(1, 28))  # type: ignore[index]
    by_number = {item["number"]: item for item in items}
    assert by_number["12d"]["says"].startswith("By centre")
    assert by_number["20a"]["says"].startswith("second course, of 800 patients")
    assert "few no first 131I" in by_number["20a"]["says"]
    for number in ("2", "17", "18a", "5b"):
        assert by_number[number]["says"].startswith(AUTHORS)
    nothing = checklist({"by": []}, made.figures)
    assert {item["number"] for item in nothing if item["known"]} < {
        item["number"] for item in items if item["known"]
    }


def test_words_stay_in_their_cell_of_the_checklist(made: Validation) -> None:
    facts = FACTS | {"intended_use": HOSTILE, "not_for": "one\ntwo"}
    lines = as_markdown(checklist(made.about | {"facts": facts}, made.figures)).splitlines()
    rows = [line for line in lines if line.startswith("| 3a ")]
    assert len(rows) == 1 and "&lt;img" in rows[0] and "one two" in rows[0]
    assert len(re.findall(r"(?<!\\)\|", rows[0])) == 5
