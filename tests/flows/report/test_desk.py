"""The desk as a person meets it: in a real Chromium, without a network."""

import csv
import json
import re
from pathlib import Path

import polars as pl
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from flows.published.nights import read_table
from flows.secrets import NO_KEYS
from tests.flows.report.conftest import Open
from tests.flows.report.desk import (
    CHANGED,
    CLOSING,
    DIED,
    DUE,
    NEW,
    PATIENTS,
    REVIEWED,
    RISING,
    listed,
    made,
)
from tests.registry import AS_OF

NO_STORAGE = (
    "Object.defineProperty(window, 'localStorage', {get() { throw new Error('not here'); }})"
)
SERVED = """window.thyriskSend = async (csv) => {
  if (csv.split("\\r\\n").length !== 4) throw new Error(csv);
  const line = { line: 3, cell: null, why: "not in the newest night" };
  return { taken: 1, known: 0, refused: 1, lines: [line] };
};"""
"""What the page finds where it is served: here a server that knows nobody of the second line."""


def cards(page: Page) -> list[str]:
    return page.locator(".card h3").all_inner_texts()


def plain(words: str) -> str:
    """Return words without the spaces that do not break."""
    return words.replace("\xa0", " ")


def open_first(page: Page) -> None:
    page.locator(".card h3 a").first.click()
    page.locator("#patient h2").wait_for()


def look_at(page: Page, view: str) -> None:
    page.evaluate(f"location.hash = '{view}'")
    shown = "patient" if view.startswith("no-") else view
    page.locator(f"body[data-view={shown}]").wait_for()


def answer(page: Page, patient: str, button: str) -> None:
    page.locator(".card", has_text=patient).get_by_role("button", name=button).click()


def test_the_first_screen_says_whom_to_look_at_first_and_why(report: Path, opens: Open) -> None:
    page = opens(report)
    assert page.inner_text(".counts") == "2 new, 1 changed, 1 due, 12 in the backlog"
    assert plain(page.inner_text("#closing")) == "One window closes on Fri 3 July: no. 2"
    assert "data of 29 June, 1 day old" in plain(page.inner_text(".status"))
    assert cards(page) == [*PATIENTS[:4], CLOSING, *PATIENTS[4:9]]
    first = page.locator(".card").first
    assert (
        first.locator(".why b").inner_text().replace("\xa0", " ") == "Criterion 2 on 18 June 2026:"
    )
    assert "course 3 took up nothing" in first.inner_text()
    assert "man, 61 · PTC" in first.inner_text()
    assert first.locator(".spark svg").count() == 1
    assert "3 days left" in page.locator(".card").nth(1).inner_text()
    last = page.locator(".card").nth(9).bounding_box()
    assert last and last["y"] + last["height"] <= 768


def test_all_that_is_new_or_closes_is_shown_however_many(desk_night: Path, opens: Open) -> None:
    worklist = read_table(desk_night / "worklist.parquet", NO_KEYS)
    try:
        listed(16, dict.fromkeys(PATIENTS[:13], "new")).write_parquet(
            desk_night / "worklist.parquet"
        )
        page = opens(made(desk_night, "many.html"))
    finally:
        worklist.write_parquet(desk_night / "worklist.parquet")
    assert cards(page) == [*PATIENTS[:13], CLOSING]
    page.get_by_role("button", name="Show all 16").click()
    assert sorted(cards(page)) == PATIENTS[:16]


def test_filters_look_at_the_whole_list(report: Path, opens: Open) -> None:
    page = opens(report)
    assert RISING not in cards(page)
    page.select_option("#by-rule", "tg_rise")
    assert cards(page) == [RISING]
    page.select_option("#by-rule", "")
    page.select_option("#by-list", "backlog")
    assert cards(page) == PATIENTS[4:16]
    page.select_option("#by-list", "due")
    assert cards(page) == [DUE]


def test_answers_are_kept_and_handed_in_as_one_file(
    report: Path, opens: Open, tmp_path: Path
) -> None:
    page = opens(report)
    answer(page, NEW, "Confirm")
    answer(page, "P02", "Confirm")
    page.locator(".card", has_text="P02").get_by_role("button", name="Take back").click()
    answer(page, CHANGED, "Dismiss")
    page.get_by_label("Remnant only").check()
    page.locator("#dismiss textarea").fill('seen, "nothing"\nthere')
    page.locator("#dismiss").get_by_role("button", name="Dismiss").click()
    answer(page, DUE, "Defer")
    page.fill("#defer input[type=date]", "2026-07-14")
    page.locator("#defer").get_by_role("button", name="Defer").click()
    expect(page.locator("#given")).to_have_text("3 answers in this browser, not handed in yet")
    page.reload()
    expect(page.locator(".card", has_text=DUE)).to_contain_text("Deferred until 14")
    expect(page.locator("#given")).to_have_text("3 answers in this browser, not handed in yet")
    page.fill("#reviewer", "R1")
    with page.expect_download() as downloading:
        page.click("#download")
    assert downloading.value.suggested_filename == f"decisions-{AS_OF}.csv"
    downloading.value.save_as(tmp_path / "decisions.csv")
    rows = list(csv.reader((tmp_path / "decisions.csv").open(newline="", encoding="utf-8")))
    night = str(AS_OF)
    assert rows == [
        ["patient_id", "reviewed_at", "reviewer", "decision", "reason", "deferred_until", "note"],
        [NEW, night, "R1", "confirmed", "", "", ""],
        [CHANGED, night, "R1", "dismissed", "remnant_only", "", 'seen, "nothing" there'],
        [DUE, night, "R1", "deferred", "", "2026-07-14", ""],
    ]


def test_a_served_page_sends_its_answers_and_keeps_what_was_refused(
    report: Path, opens: Open
) -> None:
    page = opens(report, init=SERVED)
    answer(page, NEW, "Confirm")
    answer(page, "P02", "Confirm")
    page.fill("#reviewer", "R1")
    page.get_by_role("button", name="Hand in").click()
    expect(page.locator("#told")).not_to_be_empty()
    assert page.inner_text("#told") == "1 taken, 1 refused; P02: not in the newest night"
    assert page.inner_text("#given") == "1 answer in this browser, not handed in yet"
    assert "Confirmed · handed in" in page.locator(".card", has_text=NEW).inner_text()
    assert "Take back" in page.locator(".card", has_text="P02").inner_text()


def test_no_file_without_who_answered(report: Path, opens: Open) -> None:
    page = opens(report)
    answer(page, NEW, "Confirm")
    page.click("#download")
    assert page.locator("#reviewer:invalid").count() == 1


def test_a_browser_that_keeps_nothing_says_so(report: Path, opens: Open) -> None:
    page = opens(report, init=NO_STORAGE)
    assert page.locator("#unkept").is_visible()
    answer(page, NEW, "Confirm")
    assert page.inner_text("#given") == "1 answer on this page, not handed in yet"


def test_search_finds_everybody_and_says_where_they_are(report: Path, opens: Open) -> None:
    page = opens(report)
    page.fill("#find", RISING.lower())
    assert page.inner_text("#hits") == f"{RISING} · no. 14, backlog"
    page.fill("#find", DIED)
    assert plain(page.inner_text("#hits")) == f"{DIED} · not listed: died 7 July 2019"
    page.fill("#find", "X")
    assert page.inner_text("#hits") == "Nobody of that identifier."


def test_a_decision_handed_in_is_taken_back_by_another(report: Path, opens: Open) -> None:
    page = opens(report, bypass_csp=True)
    page.fill("#find", REVIEWED)
    assert "not listed: dismissed 3 June 2026" in plain(page.inner_text("#hits"))
    page.get_by_role("button", name="Reopen").click()
    assert page.inner_text("#given") == "1 answer in this browser, not handed in yet"
    kept = page.evaluate("() => localStorage.getItem('thyrisk answers 2026-06-30')")
    assert json.loads(kept) == {REVIEWED: {"decision": "reopened"}}


def test_of_more_patients_than_a_page_holds_it_says_where_to_ask(
    desk_night: Path, opens: Open
) -> None:
    risk = read_table(desk_night / "patient_risk.parquet", NO_KEYS)
    others = pl.concat([risk.head(1)] * 20_000).with_columns(
        patient_id=pl.format("Q{}", pl.int_range(pl.len()))
    )
    try:
        pl.concat([risk, others]).write_parquet(desk_night / "patient_risk.parquet")
        path = made(desk_night, "big.html")
    finally:
        risk.write_parquet(desk_night / "patient_risk.parquet")
    assert "Q19999" not in path.read_text()
    page = opens(path)
    page.fill("#find", DIED)
    assert "thyrisk explain" in page.inner_text("#hits")


def test_a_patient_opens_by_keyboard_alone_and_closes_again(report: Path, opens: Open) -> None:
    page = opens(report)
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    heading = page.locator("#patient h2")
    expect(heading).to_have_text(NEW)
    expect(heading).to_be_focused()
    page.keyboard.press("j")
    expect(heading).to_have_text("P02")
    page.keyboard.press("c")
    assert "Confirmed" in page.inner_text("#patient .box")
    assert "P02" not in page.url
    page.keyboard.press("Escape")
    expect(page.locator("#patient")).to_be_hidden()
    expect(page.locator(".card a:focus")).to_have_text("P02")


def test_a_panel_shows_what_the_answer_rests_on(report: Path, opens: Open) -> None:
    page = opens(report)
    open_first(page)
    panel = page.locator("#patient")
    for title in (
        "From diagnosis to tonight",
        "RR-DTC criteria (Liu 2022)",
        "On file, but does not count",
        "How to use this, and how not",
    ):
        assert panel.get_by_role("heading", name=title).count() == 1
    lanes = page.locator(".line-of-time svg").first.inner_html()
    assert all(f">{name}<" in lanes for name in ("Tg", "TSH", "CT", "FDG PET"))
    drawn = page.locator(".line-of-time svg").nth(1).text_content() or ""
    assert "450\xa0mCi in all" in drawn and "150 3: all took up" in drawn
    page.get_by_text("The same as a table").click()
    expect(panel).to_contain_text("no: 19 days after")
    assert panel.locator("details.no-print >> text=nomogram with this patient").count() == 3


def test_what_changed_since_the_review_is_said_without_names_of_columns(
    report: Path, opens: Open
) -> None:
    page = opens(report)
    page.locator(".card h3 a", has_text=CHANGED).click()
    told = page.locator("#patient .say")
    expect(told).to_contain_text("Since the review: risk of RR-DTC: undecided → high")


def test_two_possible_values_are_two_open_dots(report: Path, opens: Open) -> None:
    page = opens(report)
    open_first(page)
    points = page.locator("table.models tbody tr").first
    assert re.search(r"\d+ or \d+", points.inner_text())
    assert points.locator("circle.open").count() == 2
    assert points.locator("circle.full").count() == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(report: Path, opens: Open, scheme: str) -> None:
    page = opens(report, bypass_csp=True, color_scheme=scheme)
    for view in ("desk", "no-1", "registry", "quality", "models", "holds"):
        look_at(page, view)
        found = Axe().run(page).response["violations"]
        assert [v["id"] for v in found if v["impact"] in ("serious", "critical")] == [], view


def test_nothing_is_cut_off_at_400_percent(report: Path, opens: Open) -> None:
    page = opens(report, viewport={"width": 320, "height": 256}, bypass_csp=True)
    for view in ("desk", "no-1", "registry", "quality", "models", "holds"):
        look_at(page, view)
        wider = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert page.evaluate(wider) <= 0, view


def test_a_printed_patient_is_one_page_that_says_whose_and_of_when(
    report: Path, opens: Open
) -> None:
    page = opens(report)
    open_first(page)
    printed = page.pdf(prefer_css_page_size=True)
    assert len(re.findall(rb"/Type\s*/Page\b[^s]", printed)) == 1
    page.emulate_media(media="print")
    said = plain(page.inner_text(".only-print"))
    assert "night of 30 June 2026" in said and NEW in said and "No medical device" in said
    assert page.locator(".decide:visible, .walk:visible, header.top:visible").count() == 0


def test_what_a_night_does_not_have_is_left_out(desk_night: Path, opens: Open) -> None:
    kept = {path: path.read_bytes() for path in desk_night.glob("*.parquet")}
    try:
        for name in ("timeline", "criteria", "needs", "on_file", "registry_list", "model_scores"):
            (desk_night / f"{name}.parquet").unlink()
        worklist = read_table(desk_night / "worklist.parquet", NO_KEYS)
        worklist.select("position", "patient_id", "review_reasons").write_parquet(
            desk_night / "worklist.parquet"
        )
        page = opens(made(desk_night, "older.html"))
    finally:
        for path, content in kept.items():
            path.write_bytes(content)
    assert cards(page) == PATIENTS[:10]
    open_first(page)
    assert "RR-DTC criterion newly met" in page.inner_text("#patient")


def test_the_registry_sees_file_and_line(report: Path, opens: Open) -> None:
    page = opens(report)
    page.click(".tabs a[href='#registry']")
    page.locator("body[data-view=registry]").wait_for()
    row = page.locator("#registry tbody tr").first.inner_text()
    assert "i131_treatments.csv" in row and "3" in row and "empty" in row


def test_what_came_of_past_predictions_stands_beside_them(report: Path, opens: Open) -> None:
    page = opens(report)
    page.click(".tabs a[href='#holds']")
    page.locator("body[data-view=holds]").wait_for()
    row = page.locator("#holds tbody tr").first.inner_text()
    assert "1.6" in row and "0.75 to 1.32" in row and "more events than predicted" in row
    assert page.locator("#holds svg[role=img]").count() == 2
