"""The report as a file: what is in it, and what never is."""

import re
from datetime import date
from pathlib import Path

import polars as pl

from tests.flows.conftest import RunNight
from tests.flows.report.conftest import Open
from tests.registry import AS_OF, Registry

BREAK = "document.title='broken'"
HOSTILE = f'<img src=x onerror="{BREAK}"></script><script>{BREAK}</script>'


def test_the_report_is_one_file_that_fetches_nothing(report: Path) -> None:
    text = report.read_text()
    assert set(re.findall(r"https?://[^\s\"'<)]+", text)) == {"http://www.w3.org/2000/svg"}
    assert "default-src 'none'" in text
    assert "script-src 'sha256-" in text


def test_markup_in_identifiers_and_cells_stays_text(
    opens: Open, night: RunNight, tmp_path: Path
) -> None:
    registry = Registry().usual(HOSTILE, 62, centre=HOSTILE).metastasis(HOSTILE, "lymph_node")
    registry.treated(HOSTILE, AS_OF.replace(year=2025), uptake="none")
    registry.pet(HOSTILE, suv_max=9).add("events", HOSTILE, event_date=HOSTILE, type=HOSTILE)
    page = opens(night(registry.write(tmp_path / "export"), report=True).folder / "report.html")
    page.locator(".card h3 a").first.click()
    page.locator("#patient h2").wait_for()
    assert page.title() == f"thyrisk, night of {AS_OF}"
    assert page.locator("#patient h2").inner_text() == HOSTILE
    assert page.locator("img").count() == 0
    page.fill("#find", "<img")
    assert HOSTILE in page.inner_text("#hits")


def test_an_empty_worklist_is_a_page_too(night: RunNight, tmp_path: Path, opens: Open) -> None:
    registry = Registry().patient("A").diagnosed("A")
    page = opens(night(registry.write(tmp_path / "e"), report=True).folder / "report.html")
    assert "Nobody waits for a review." in page.inner_text("#desk")


def test_the_same_night_gives_the_same_page(night: RunNight, tmp_path: Path) -> None:
    export = Registry().usual("A", 62).metastasis("A", "lung").write(tmp_path / "export")
    pages = [night(export, to=tmp_path / name, report=True).folder for name in ("one", "two")]
    one, two = ((folder / "report.html").read_bytes() for folder in pages)
    assert one == two


def test_aggregates_leave_small_groups_out(night: RunNight, tmp_path: Path) -> None:
    registry = Registry()
    for number in range(12):
        registry.usual(f"P{number}", centre="big")
    registry.usual("Q", centre="small").usual("R", centre="small")
    result = night(registry.write(tmp_path / "export"), as_of=date(2021, 6, 30), report=True)
    measured = pl.read_parquet(result.folder / "qi_measures.parquet", hive_partitioning=False)
    small = measured.filter(centre="small")
    assert (
        small.height and small["suppressed"].all() and small["value"].null_count() == small.height
    )
    big = measured.filter(pl.col("centre") == "big", pl.col("denominator").is_null())
    assert big.height > 0, "the only other centre could be had by subtraction"
    text = (result.folder / "report.html").read_text()
    pictures = re.findall(r"<svg.*?</svg>", text, re.DOTALL)
    assert pictures and not any(">small<" in picture for picture in pictures)
    counts = text[text.index("<h3>Models tonight") : text.index("<h3>Rows: read")]
    assert "0 / 0 / 0 / 14" in counts
