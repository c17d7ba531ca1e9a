"""The report as a person meets it: in a real Chromium, without a network."""

import re
import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, sync_playwright

from flows.outputs import Result
from flows.synth import synthesise
from flows.synth.files import write_export
from tests.flows.conftest import RunNight
from tests.registry import AS_OF, Registry

CHROMIUM = next((found for name in ("chromium", "chromium-browser", "google-chrome")
                 if (found := shutil.which(name))), None)  # fmt: skip
needs_chromium = pytest.mark.skipif(
    CHROMIUM is None, reason="no Chromium here: `make browser` installs Debian's"
)
BREAK = "document.title='broken'"
HOSTILE = f'<img src=x onerror="{BREAK}"></script><script>{BREAK}</script>'


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the report of the second night of a synthetic registry, with a review in it."""
    from flows.job import Job
    from flows.night import run_night
    from flows.settings import Settings
    from transforms.reading.mapping import Mapping

    root = tmp_path_factory.mktemp("report")
    out = root / "out"

    def run(day: int) -> Result:
        as_of = AS_OF + timedelta(days=day)
        warehouse = out / "warehouse.duckdb"
        settings = Settings(report=day > 0, report_patients=60)
        return run_night(Job(root / "export", out, as_of, warehouse, Mapping(), settings))

    write_export(synthesise(700, seed=8, dirt=0.02), root / "export", mixed=True)
    first = run(0)
    reviewed = pl.read_parquet(first.folder / "worklist.parquet", hive_partitioning=False)
    who = reviewed["patient_id"][0]
    (root / "export" / "reviews.csv").write_text(
        "patient_id,reviewed_at,reviewer,decision,deferred_until,note\n"
        f"{who},{first.as_of},physician,confirmed,,\n"
    )
    return run(1).folder / "report.html"


@pytest.fixture
def page() -> Iterator[Page]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        context = browser.new_context(bypass_csp=True, offline=True)
        yield context.new_page()
        browser.close()


@pytest.fixture
def opened(page: Page, report: Path) -> Page:
    """Open the report; nothing may be fetched and nothing may fail."""
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda message: problems.append(message.text))
    page.on("request", lambda r: None if r.url.startswith("file:") else problems.append(r.url))
    page.goto(report.as_uri())
    assert problems == []
    return page


def test_the_report_is_one_file_that_fetches_nothing(report: Path) -> None:
    text = report.read_text()
    assert len(text) < 3_000_000
    namespaces = {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}
    assert set(re.findall(r"https?://[^\s\"'<)]+", text)) <= namespaces
    assert "default-src 'none'" in text


@needs_chromium
def test_the_first_view_says_who_waits_and_search_filters_and_sorting_work(opened: Page) -> None:
    assert "patients wait for a review" in opened.inner_text("header")
    rows = opened.locator("#list tbody tr")
    assert rows.count() == 60
    one = rows.nth(3).locator("button.patient").inner_text()
    opened.fill("#search", one.lower())
    assert opened.locator("#list tbody tr:visible").count() == 1
    assert opened.inner_text("#found") == "1 of 60 patients shown"
    opened.fill("#search", "")
    opened.select_option("#flag", "high")
    flags = opened.locator("#list tbody tr:visible td:nth-child(5)").all_inner_texts()
    assert set(flags) == {"high"}
    opened.select_option("#flag", "")
    opened.click("#list thead button >> text=Patient")
    names = opened.locator("#list tbody td:nth-child(2)").all_inner_texts()
    assert names == sorted(names)


@needs_chromium
def test_a_patient_opens_by_keyboard_alone_and_closes_again(opened: Page) -> None:
    opened.locator("button.patient").first.focus()
    opened.keyboard.press("Enter")
    panel = opened.locator("#panel")
    text = panel.inner_text()
    for words in ("Timeline", "RR-DTC nomogram", "source row", "RR-DTC criterion", "Last review"):
        assert words in text
    assert panel.locator("svg").count() >= 3
    assert opened.evaluate("document.activeElement.id") == "panel"
    opened.keyboard.press("Escape")
    assert panel.is_hidden()
    assert opened.evaluate("document.activeElement.className") == "patient"


@needs_chromium
def test_axe_finds_nothing_serious(opened: Page) -> None:
    opened.locator("button.patient").first.click()
    found = Axe().run(opened).response["violations"]
    serious = [v["id"] for v in found if v["impact"] in ("serious", "critical")]
    assert serious == []


@needs_chromium
def test_nothing_is_cut_off_at_400_percent(opened: Page) -> None:
    opened.set_viewport_size({"width": 320, "height": 256})  # 1280 pixels at 400 %
    opened.locator("button.patient").first.click()
    wider = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert opened.evaluate(wider) <= 0


@needs_chromium
def test_in_print_the_list_is_whole_and_the_controls_are_gone(opened: Page) -> None:
    opened.emulate_media(media="print")
    assert opened.locator("#filters").is_hidden()
    box = opened.locator("#worklist .scroll").first
    assert box.evaluate("e => e.scrollHeight - e.clientHeight") <= 0


@needs_chromium
def test_risk_is_told_by_words_not_by_colour(opened: Page) -> None:
    flags = opened.locator("#list tbody td:nth-child(5)").all_inner_texts()
    assert set(flags) <= {"high", "indeterminate", "low", "not applicable"}
    colours = opened.evaluate(
        "[...document.querySelectorAll('.chart svg [fill], .chart svg [stroke]')]"
        ".flatMap(e => [e.getAttribute('fill'), e.getAttribute('stroke')])"
        ".filter(c => c && c.startsWith('#'))"
    )
    assert all(_is_grey(colour) for colour in colours)


def _is_grey(colour: str) -> bool:
    digits = colour[1:] if len(colour) == 7 else "".join(2 * digit for digit in colour[1:])
    return digits[:2] == digits[2:4] == digits[4:6]


@needs_chromium
def test_markup_in_identifiers_and_cells_stays_text(
    page: Page, night: RunNight, tmp_path: Path
) -> None:
    registry = Registry().usual(HOSTILE, 62, centre=HOSTILE).metastasis(HOSTILE, "lymph_node")
    registry.pet(HOSTILE, suv_max=9).add("events", HOSTILE, event_date=HOSTILE, type=HOSTILE)
    result = night(registry.write(tmp_path / "export"), report=True)
    page.goto((result.folder / "report.html").as_uri())
    page.locator("button.patient").first.click()
    assert page.title() == f"thyrisk, night of {AS_OF}"
    assert HOSTILE in page.inner_text("#panel")
    assert page.locator("img").count() == 0


def test_an_empty_worklist_is_a_page_too(night: RunNight, tmp_path: Path) -> None:
    registry = Registry().patient("A").diagnosed("A")
    text = (night(registry.write(tmp_path / "e"), report=True).folder / "report.html").read_text()
    assert "Nobody waits for a review." in text


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
    result = night(registry.write(tmp_path / "export"), report=True)
    measured = pl.read_parquet(result.folder / "qi_measures.parquet", hive_partitioning=False)
    small = measured.filter(centre="small")
    assert small["suppressed"].all() and small["value"].null_count() == small.height
    big = measured.filter(pl.col("centre") == "big", pl.col("denominator").is_null())
    assert big.height > 0, "the only other centre could be had by subtraction"
    pictures = re.findall(r"<svg.*?</svg>", (result.folder / "report.html").read_text(), re.DOTALL)
    assert pictures and not any(">small<" in picture for picture in pictures)
