"""How a story is told: the rows of one named patient, and where they stand in a registry."""

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


def thyroid(found: str, operated: str, histology: str = "PTC", m: str = "0") -> list[Row]:
    """Return the diagnosis and the operation."""
    return [
        ("diagnoses", found, {"histology": histology, "t": "3", "n": "1", "m": m, "stage": "II"}),
        ("surgeries", operated, {"procedure": "total"}),
    ]


def lesion(day: str, site: str) -> Row:
    """Return a metastatic site found."""
    return "metastases", day, {"site": site, "basis": "imaging", "found": "yes"}


def course(day: str, mci: float, uptake: str) -> Row:
    """Return a course of 131I."""
    given = {"activity": mci, "activity_unit": "mCi", "intent": "therapy"}
    return "i131_treatments", day, {**given, "lesion_uptake": uptake}


def without_key(row: Row) -> Row:
    """Return a row as it comes without its identifier."""
    table, day, cells = row
    return table, day, {**cells, str(TABLES[table].key): None}


def pet(day: str, suv_max: float) -> Row:
    """Return an FDG PET/CT, read by its SUVmax."""
    read = "yes" if suv_max >= 2.5 else "no"
    return "imaging", day, {"modality": "FDG_PETCT", "suv_max": suv_max, "fdg_positive": read}


def ct(day: str, recist: str | None, nodule_cm: float | None = None) -> Row:
    """Return a CT, with RECIST where it is an assessment."""
    unit = None if nodule_cm is None else "cm"
    size = {"largest_lung_nodule": nodule_cm, "largest_lung_nodule_unit": unit}
    return "imaging", day, {"modality": "CT", "recist": recist, **size}


def progression(day: str) -> Row:
    """Return a recorded progression."""
    return "events", day, {"type": "progression", "basis": "structural", "found": "yes"}


def sample(day: str, tg: float, *, stimulated: bool = False, tgab: float = 12) -> list[Row]:
    """Return Tg (ng/mL), TgAb (IU/mL) and TSH of one day."""
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


def with_stories(
    tables: dict[str, pl.DataFrame], stories: Sequence[Story]
) -> dict[str, pl.DataFrame]:
    """Return the tables of a drawn registry with the rows of the stories below its own."""
    found = {}
    for name, frame in tables.items():
        rows = [_patient(one) for one in stories] if name == "patients" else _events(name, stories)
        found[name] = pl.concat([frame, _typed(rows, frame.schema)])
    return found


def _typed(rows: list[dict[str, Any]], schema: pl.Schema) -> pl.DataFrame:
    text = pl.DataFrame(
        [{name: row.get(name) for name in schema} for row in rows],
        schema=dict.fromkeys(schema, pl.String),
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


def _events(table: str, stories: Sequence[Story]) -> list[dict[str, Any]]:
    key, when = str(TABLES[table].key), str(TABLES[table].date)
    found = []
    for story in stories:
        theirs = [row for row in story.rows if row[0] == table]
        for number, (_, day, cells) in enumerate(theirs, 1):
            known = str(date.fromisoformat(day) + KNOWN_AFTER)
            row: dict[str, Any] = {"patient_id": story.patient_id, "day": day, "known_on": known}
            row |= {key: f"{story.patient_id}-{key}-{number}", when: day, **cells}
            found.append({name: v if v is None else str(v) for name, v in row.items()})
    return found
