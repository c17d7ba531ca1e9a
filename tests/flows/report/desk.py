"""A published night with a list to look at: real scores; the list and stories are written here."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import polars as pl

from flows.published.nights import read_run, read_table
from flows.report.page import page
from flows.secrets import NO_KEYS
from flows.settings import Settings
from schemas.published import PUBLISHED, columns_of
from tests.registry import AS_OF, Registry, days

Row = dict[str, Any]
NEW, CHANGED, DUE = "P01", "P03", "P04"
FRESH = {NEW: "new", "P02": "new", CHANGED: "changed", DUE: "due"}
CLOSES = AS_OF + timedelta(days=3)
CLOSING = "P15"
"""On the backlog, and its window closes."""
RISING = "P14"
"""The only one listed for a rise of Tg, beyond the first ten."""
DIED, REVIEWED = "P17", "P18"
PATIENTS = [f"P{number:02}" for number in range(1, 19)]


def registry() -> Registry:
    """Return the registry under the night: lung metastases, two courses, the PET/CT too late."""
    built = Registry()
    for patient in PATIENTS:
        built.usual(patient, 62).metastasis(patient, "lung").pet(patient, days(19), suv_max=6.8)
        built.treated(patient, days(400), uptake="none").ct(patient, days(-5))
    for study in range(24):  # more on file than one sheet of paper holds
        built.pet(NEW, days(30 + study), suv_max=5)
    return built


def listed(count: int = 16, fresh: dict[str, str] = FRESH) -> pl.DataFrame:
    """Return a worklist of the first patients, the fresh ones first."""
    return _table("worklist", [_card(place, fresh) for place in range(1, count + 1)])


def _card(place: int, fresh: dict[str, str]) -> Row:
    patient = PATIENTS[place - 1]
    closes = {
        "todo_kind": "examination",
        "todo_what": "FDG PET/CT",
        "valid_until": date(2026, 7, 3),
    }
    enter = {"todo_kind": "entry", "todo_what": "stimulated Tg", "valid_from": date(2020, 5, 16)}
    told = {
        "position": place,
        "patient_id": patient,
        "list": fresh.get(patient, "backlog"),
        "sex": "male",
        "age": 61,
        "histology": "PTC",
        "sites": "lung; lymph_node",
        "last_contact_date": date(2026, 6, 22),
        "urgency_rule": {RISING: "tg_rise", CLOSING: "closing_window"}.get(patient, "criterion"),
        "why_lead": "Criterion 2 on 2026-06-18",
        "why_rest": "course 3 took up nothing, courses 1 and 2 did",
        "decides": "liu2022_score",
        "review_reasons": "RR-DTC criterion newly met",
    }
    changed = {"changed_since_review": "rrdtc_flag: indeterminate -> high"}
    return told | (closes if place == 2 else enter) | (changed if patient == CHANGED else {})


def stories() -> pl.DataFrame:
    """Return the timeline: two years of Tg and three courses for everybody."""
    rows: list[Row] = []
    for patient in PATIENTS:
        for months in range(0, 24, 3):
            day = AS_OF - timedelta(days=700 - 30 * months)
            sample = {"patient_id": patient, "date": day, "unit": "ng/mL", "source_table": "labs"}
            rows.append(sample | {"kind": "Tg", "value": 12.0 + months, "stimulated": "no"})
            rows.append(sample | {"kind": "tsh", "value": 0.04, "unit": "mIU/L"})
        for course in (1, 2, 3):
            day = AS_OF - timedelta(days=900 - 200 * course)
            taken = {"kind": "131I", "value": 150.0, "course": course, "uptake": "all"}
            total = {"cumulative_mci": 150.0 * course, "source_table": "i131_treatments"}
            rows.append({"patient_id": patient, "date": day} | taken | total)
        late = {"kind": "PET/CT", "value": 6.8, "counts": False, "source_table": "imaging"}
        why = {"not_counted_reason": "19 days after the first 131I therapy"}
        seen = {"kind": "recist", "words": "PD", "source_table": "imaging"}
        rows.append({"patient_id": patient, "date": AS_OF - timedelta(days=500)} | late | why)
        rows.append({"patient_id": patient, "date": AS_OF - timedelta(days=8)} | seen)
    return _table("timeline", [{"words": "", "counts": True} | row for row in rows])


def corrections() -> pl.DataFrame:
    """Return a list of two corrections for the registry."""
    wrong = {"group": "activity without unit", "table": "i131_treatments", "patients": 2}
    where = {"column": "activity_unit", "file": "i131_treatments.csv", "reason": "empty"}
    lines = [wrong | where | {"line": line, "patient_id": PATIENTS[line]} for line in (3, 7)]
    return _table("registry_list", lines)


def surveillance() -> pl.DataFrame:
    """Return five quarters of one model with a signal in the last, and drift."""
    rows: list[Row] = []
    for quarter, (oe, seen) in enumerate(
        ((None, 40), (1.1, 105), (1.2, 110), (1.2, 120), (1.6, 150))
    ):
        start = date(2025 + (quarter + 1) // 4, (quarter + 1) % 4 * 3 + 1, 1)
        told = {"model": "jin2025_os", "start": start, "until": start + timedelta(days=80)}
        made = {"measure": "oe", "words": "events seen to events expected", "value": oe}
        if oe:
            made |= {"lower": oe - 0.2, "upper": oe + 0.2, "reference": 1.0}
            made |= {"limit_lower": 0.75, "limit_upper": 1.32}
        said = "more events than predicted" if oe == 1.6 else None
        why = None if oe else "too few events: about 40, at least 100 advised"
        rows.append(told | made | {"events": seen, "expected": 94.2, "signal": said, "note": why})
        path = {"measure": "cusum_more", "words": "CUSUM of more events than predicted"}
        rows.append(told | path | {"value": quarter / 4, "reference": 1.0})
    share = {"measure": "share_sex_male", "words": "male, first treated in the last 2 years"}
    lately = {"model": "Jin 2025", "start": date(2026, 4, 1), "until": AS_OF, "value": 0.4}
    rows.append(share | lately | {"reference": 0.323, "limit_lower": 0.2, "limit_upper": 0.5})
    return _table("surveillance", [{"suppressed": False} | row for row in rows])


def write_desk(folder: Path, worklist: pl.DataFrame) -> None:
    """Put a list, its stories and where everybody else is in place of the night's own."""
    where = pl.col("patient_id")
    risk = read_table(folder / "patient_risk.parquet", NO_KEYS)
    places = worklist.select("patient_id", "list")
    reasons = {DIED: "died 2019-07-07", REVIEWED: "dismissed 2026-06-03, remnant only"}
    risk = risk.drop("list").join(places, on="patient_id", how="left", maintain_order="left")
    risk.with_columns(not_listed_reason=where.replace_strict(reasons, default=None)).write_parquet(
        folder / "patient_risk.parquet"
    )
    worklist.write_parquet(folder / "worklist.parquet")
    stories().write_parquet(folder / "timeline.parquet")
    corrections().write_parquet(folder / "registry_list.parquet")
    surveillance().write_parquet(folder / "surveillance.parquet")


def made(folder: Path, name: str = "report.html", **settings: Any) -> Path:
    """Make the page of a published night and return where it is."""
    run = (read_run(folder) or {}) | {"extracted_on": "2026-06-29"}
    path = folder.parent / name
    path.write_text(page(folder, run, [], Settings(**settings)), "utf-8")
    return path


def _table(name: str, rows: list[Row]) -> pl.DataFrame:
    """Return rows with the published columns and types; what is not said is null."""
    columns = columns_of(PUBLISHED[name])
    given = {key for row in rows for key in row}
    frame = pl.DataFrame([{key: row.get(key) for key in given} for row in rows])
    return frame.select(
        (pl.col(key) if key in given else pl.lit(None)).cast(dtype).alias(key)
        for key, dtype in columns.items()
    )
