"""Eight patients to look for in the showcase, each with a story and a place on its last night.

Every row is named and dated here; around them stands a synthetic registry that ends on END.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import polars as pl

from flows.synth.columns import END
from schemas.registry import TABLES

Row = tuple[str, str, dict[str, Any]]
"""Table, day, cells."""

KNOWN_AFTER = timedelta(days=4)
"""From a row's day to its place in the export."""


@dataclass(frozen=True)
class Story:
    """A patient, what happened, and where that belongs on the last night."""

    patient_id: str
    title: str
    place: str
    """A list of the worklist, or `absent`."""
    sex: str
    born: str
    rows: tuple[Row, ...]
    died: str | None = None
    reviews: tuple[dict[str, Any], ...] = ()


def _thyroid(found: str, operated: str, histology: str = "PTC", m: str = "0") -> list[Row]:
    return [
        ("diagnoses", found, {"histology": histology, "t": "3", "n": "1", "m": m, "stage": "II"}),
        ("surgeries", operated, {"procedure": "total"}),
    ]


def _lesion(day: str, site: str) -> Row:
    return "metastases", day, {"site": site, "basis": "imaging", "found": "yes"}


def _course(day: str, mci: float, uptake: str) -> Row:
    given = {"activity": mci, "activity_unit": "mCi", "intent": "therapy"}
    return "i131_treatments", day, {**given, "lesion_uptake": uptake}


def _without_key(row: Row) -> Row:
    table, day, cells = row
    return table, day, {**cells, str(TABLES[table].key): None}


def _pet(day: str, suv_max: float) -> Row:
    read = "yes" if suv_max >= 2.5 else "no"
    return "imaging", day, {"modality": "FDG_PETCT", "suv_max": suv_max, "fdg_positive": read}


def _ct(day: str, recist: str | None, nodule_cm: float | None = None) -> Row:
    unit = None if nodule_cm is None else "cm"
    size = {"largest_lung_nodule": nodule_cm, "largest_lung_nodule_unit": unit}
    return "imaging", day, {"modality": "CT", "recist": recist, **size}


def _progression(day: str) -> Row:
    return "events", day, {"type": "progression", "basis": "structural", "found": "yes"}


def _sample(day: str, tg: float, *, stimulated: bool = False, tgab: float = 12) -> list[Row]:
    word = "yes" if stimulated else "no"
    tsh = 78.0 if stimulated else 0.08
    results = (("Tg", tg, "ng/mL"), ("TgAb", tgab, "IU/mL"), ("TSH", tsh, "mIU/L"))
    return [
        (
            "labs",
            day,
            {"analyte": analyte, "comparator": "=", "value": value, "unit": unit}
            | {"stimulated": word},
        )
        for analyte, value, unit in results
    ]


LOSS_OF_UPTAKE = Story(
    "LOSS-OF-UPTAKE",
    "lung metastases took up 131I twice, and nothing at the third course last week",
    "new",
    "female",
    "1974-03-14",
    (
        *_thyroid("2024-03-11", "2024-03-25", m="1"),
        _lesion("2024-03-25", "lymph_node"),
        _lesion("2024-06-14", "lung"),
        _ct("2024-06-03", None, 0.9),
        _pet("2024-06-11", 1.9),
        *_sample("2024-06-12", 186.0, stimulated=True),
        _course("2024-06-13", 150.2, "all"),
        _ct("2024-12-05", "PR", 0.7),
        *_sample("2024-12-05", 9.8),
        *_sample("2025-05-20", 88.0, stimulated=True),
        _course("2025-05-21", 148.6, "all"),
        _ct("2025-11-12", "SD", 0.7),
        *_sample("2025-11-12", 6.1),
        *_sample("2026-03-18", 9.9),
        *_sample("2026-06-20", 142.0, stimulated=True),
        _course("2026-06-22", 150.8, "none"),
    ),
)
PET_OUTSIDE = Story(
    "PET-OUTSIDE",
    "the PET/CT was 17 days before the first course, ten too many: another still counts for 2 days",
    "backlog",
    "male",
    "1971-09-02",
    (
        *_thyroid("2026-04-08", "2026-04-27"),
        _lesion("2026-04-27", "lymph_node"),
        _pet("2026-06-08", 4.4),
        *_sample("2026-06-24", 31.0, stimulated=True),
        _course("2026-06-25", 121.5, "all"),
    ),
)
TGAB = Story(
    "TGAB",
    "stimulated Tg of 3 ng/mL beside TgAb of 640 IU/mL: it may be falsely low",
    "backlog",
    "female",
    "1962-11-30",
    (
        *_thyroid("2023-04-17", "2023-05-08", "FTC", m="1"),
        _lesion("2023-07-20", "lung"),
        _ct("2023-07-10", None, 1.4),
        _pet("2023-07-24", 6.3),
        *_sample("2023-07-24", 3.1, stimulated=True, tgab=640),
        _course("2023-07-25", 162.0, "all"),
        _ct("2024-01-22", "SD", 1.4),
        *_sample("2024-01-22", 0.4, tgab=610),
        _ct("2025-02-10", "SD", 1.5),
        *_sample("2025-02-10", 0.5, tgab=585),
        *_sample("2026-02-09", 0.5, tgab=590),
    ),
)
COMPLETE_RESPONSE = Story(
    "COMPLETE-RESPONSE",
    "over 600 mCi in all, and in complete response",
    "absent",
    "female",
    "1985-01-19",
    (
        *_thyroid("2019-01-14", "2019-01-28", m="1"),
        _lesion("2019-04-18", "lung"),
        _ct("2019-04-08", None, 0.6),
        *_sample("2019-04-15", 310.0, stimulated=True),
        _course("2019-04-16", 148.0, "all"),
        _ct("2019-10-10", "PR", 0.5),
        _course("2020-02-11", 151.0, "all"),
        _ct("2020-08-06", "PR", 0.4),
        _course("2020-12-08", 149.5, "all"),
        _ct("2021-06-09", "PR", 0.3),
        _course("2021-10-12", 147.0, "all"),
        _ct("2022-04-13", "CR"),
        *_sample("2022-08-29", 2.2, stimulated=True),
        _course("2022-08-30", 100.5, "all"),
        _ct("2023-05-04", "CR"),
        *_sample("2023-05-04", 0.1),
        _ct("2024-06-12", "CR"),
        _ct("2026-05-06", "CR"),
        *_sample("2026-05-06", 0.1),
    ),
)
DEAD = Story(
    "DEAD",
    "RR-DTC since 2023, progressed, died in May",
    "absent",
    "male",
    "1949-06-08",
    (
        *_thyroid("2022-02-07", "2022-02-21", "PDTC", m="1"),
        _lesion("2022-02-21", "lung"),
        _lesion("2022-04-30", "bone"),
        _ct("2022-04-11", None, 2.6),
        _pet("2022-04-25", 11.8),
        *_sample("2022-04-25", 1840.0, stimulated=True),
        _course("2022-04-26", 170.0, "none"),
        _ct("2022-10-18", "SD", 2.7),
        _course("2023-02-14", 165.0, "none"),
        _ct("2024-09-05", "PD", 3.9),
        _progression("2024-09-05"),
        *_sample("2025-11-03", 960.0),
    ),
    died="2026-05-30",
)
DEFERRED = Story(
    "DEFERRED",
    "RR-DTC by criterion 3; put off in May until the CT of 29 June",
    "due",
    "male",
    "1966-12-01",
    (
        *_thyroid("2023-09-04", "2023-09-18", m="1"),
        _lesion("2023-09-18", "lymph_node"),
        _lesion("2023-12-07", "lung"),
        _ct("2023-11-27", None, 1.1),
        _pet("2023-12-04", 5.2),
        *_sample("2023-12-04", 640.0, stimulated=True),
        _course("2023-12-05", 158.0, "some"),
        _ct("2024-06-03", "SD", 1.1),
        *_sample("2024-06-03", 44.0),
        _ct("2025-06-16", "SD", 1.2),
        *_sample("2025-06-16", 47.5),
        *_sample("2026-01-12", 52.0),
    ),
    reviews=(
        {
            "reviewed_at": "2026-05-12",
            "decision": "deferred",
            "deferred_until": "2026-06-29",
            "comment": "after the CT of June",
        },
    ),
)
QUARANTINED_COURSE = Story(
    "QUARANTINED-COURSE",
    "the second course came without its identifier and is in quarantine",
    "backlog",
    "female",
    "1958-08-23",
    (
        *_thyroid("2024-08-05", "2024-08-19", m="1"),
        _lesion("2024-08-19", "lymph_node"),
        _lesion("2024-11-14", "lung"),
        _ct("2024-11-04", None, 1.2),
        _pet("2024-11-11", 8.7),
        *_sample("2024-11-11", 720.0, stimulated=True),
        _course("2024-11-12", 160.5, "all"),
        _ct("2025-05-12", "SD", 1.2),
        *_sample("2025-05-12", 61.0),
        (
            "i131_treatments",
            "2025-09-09",
            {**_course("2025-09-09", 155.0, "all")[2], "treatment_id": None},
        ),
        _ct("2026-03-09", "SD", 1.2),
        *_sample("2026-03-09", 58.0),
    ),
)
UPTAKE_LATER = Story(
    "UPTAKE-LATER",
    "no uptake at the first course, uptake at the second: the survival models have no such class",
    "changed",
    "female",
    "1979-05-27",
    (
        *_thyroid("2025-06-02", "2025-06-16", m="1"),
        _lesion("2025-06-16", "lymph_node"),
        _lesion("2025-09-26", "lung"),
        _ct("2025-09-15", None, 0.8),
        _pet("2025-09-22", 5.6),
        *_sample("2025-09-22", 92.0, stimulated=True),
        _course("2025-09-23", 150.0, "none"),
        _ct("2026-03-17", "SD", 0.8),
        *_sample("2026-03-17", 8.8),
        *_sample("2026-06-15", 71.0, stimulated=True),
        _course("2026-06-16", 152.5, "all"),
    ),
    reviews=({"reviewed_at": "2026-05-05", "decision": "confirmed"},),
)

STORIES = (
    LOSS_OF_UPTAKE,
    PET_OUTSIDE,
    TGAB,
    COMPLETE_RESPONSE,
    DEAD,
    DEFERRED,
    QUARANTINED_COURSE,
    UPTAKE_LATER,
)
"""The eight, in the order in which the showcase tells them."""


def with_stories(tables: dict[str, pl.DataFrame]) -> dict[str, pl.DataFrame]:
    """Return the tables of a drawn registry with the rows of the stories below them."""
    return {
        name: pl.concat(
            [frame, _of_table(name, list(frame.columns), frame.schema)], how="vertical_relaxed"
        )
        for name, frame in tables.items()
    }


def _of_table(table: str, columns: Sequence[str], schema: pl.Schema) -> pl.DataFrame:
    rows = [_patient(story) for story in STORIES] if table == "patients" else _events(table)
    text = pl.DataFrame(
        [{name: row.get(name) for name in columns} for row in rows],
        schema=dict.fromkeys(columns, pl.String),
    )
    return text.with_columns(
        pl.col(name).str.to_date() if dtype == pl.Date else pl.col(name).cast(dtype)
        for name, dtype in schema.items()
    )


def _patient(story: Story) -> dict[str, Any]:
    first = min(day for _, day, _ in story.rows)
    known = str(date.fromisoformat(first) + KNOWN_AFTER)
    death_known = story.died and str(date.fromisoformat(story.died) + timedelta(days=19))
    return {
        "patient_id": story.patient_id,
        "sex": story.sex,
        "birth_date": story.born,
        "death_date": story.died,
        "death_cause": story.died and "thyroid_cancer",
        "centre": "C01",
        "day": first,
        "known_on": known,
        "death_known_on": death_known or str(END),
    }


def _events(table: str) -> list[dict[str, Any]]:
    key, when = str(TABLES[table].key), str(TABLES[table].date)
    found = []
    for story in STORIES:
        theirs = [row for row in story.rows if row[0] == table]
        for number, (_, day, cells) in enumerate(theirs, 1):
            known = str(date.fromisoformat(day) + KNOWN_AFTER)
            row: dict[str, Any] = {"patient_id": story.patient_id, "day": day, "known_on": known}
            row |= {key: f"{story.patient_id}-{key}-{number}", when: day, **cells}
            found.append({name: v if v is None else str(v) for name, v in row.items()})
    return found
