"""Rows of a synthetic registry, with the day of the event and the day that the export has it.

Beside the columns of the contract a frame has `day` and `known_on`: `as_known` makes of them the
export of any date.
"""

from collections.abc import Mapping
from datetime import date
from typing import Any

import numpy as np
import polars as pl

from flows.synth.columns import Bools, Ints, dates, numbered
from flows.synth.real.centres import of_centre
from flows.synth.real.illness import Illness
from flows.synth.real.people import People
from schemas.registry import TABLES

DELAYS = {
    "diagnoses": 8,
    "surgeries": 8,
    "i131_treatments": 4,
    "labs": 2,
    "imaging": 5,
    "metastases": 7,
    "events": 12,
}
"""Mean days from an event to its row in the export."""
ENROLLED_AFTER = 5
"""Days from the diagnosis to the patient's first row: nothing is known before it."""
_KEYS = {"diagnoses": "D", "surgeries": "S", "i131_treatments": "T", "labs": "L"}
_KEYS |= {"imaging": "I", "metastases": "M", "events": "E"}


def seen(people: People, illness: Illness, who: Ints, day: Ints) -> Bools:
    """Tell which events are on record: the patient lives, stays, and the extraction is later."""
    return np.asarray((day <= illness.leaves[who]) & (day >= people.diagnosis[who]))


def event_rows(
    table: str,
    people: People,
    illness: Illness,
    who: Ints,
    day: Ints,
    columns: Mapping[str, Any],
    rng: np.random.Generator,
) -> pl.DataFrame:
    """Return the rows of a table that are on record, in order of patient and day."""
    kept = np.flatnonzero(seen(people, illness, who, day))
    kept = kept[np.lexsort((day[kept], who[kept]))]
    who, day = who[kept], day[kept]
    late = (
        rng.gamma(1.5, DELAYS[table] / 1.5, who.size) * of_centre("enters_late", people.centre)[who]
    )
    forgotten = rng.random(who.size) < 0.004
    late = np.where(forgotten, late + rng.integers(40, 200, who.size), late)
    enrolled = people.diagnosis[who] + ENROLLED_AFTER
    known = np.maximum(day + late.astype(np.int64), enrolled)
    if table == "diagnoses":
        known = enrolled
    key, when = str(TABLES[table].key), str(TABLES[table].date)
    return pl.DataFrame(
        {
            key: numbered(_KEYS[table], who.size, 8),
            "patient_id": people.pid.gather(who),
            when: dates(day),
            **{name: pl.Series(values).gather(kept) for name, values in columns.items()},
            "day": dates(day),
            "known_on": dates(known),
        }
    )


def patient_rows(people: People, illness: Illness, rng: np.random.Generator) -> pl.DataFrame:
    """Return one row per patient, with what makes the last contact of any date.

    contact_every, contact_phase: the days between two contacts, and where in them the patient
    is; contact_until: the last day of any.
    """
    n, dead = people.n, illness.dead
    cause = np.where(np.isnan(illness.os_linear_predictor), "other", "thyroid_cancer")
    cause = np.where(rng.random(n) < 0.12, "unknown", cause)
    every = np.where(people.lesions_left, 120, 365)
    return pl.DataFrame(
        {
            "patient_id": people.pid,
            "sex": np.where(people.male, "male", "female"),
            "birth_date": dates(people.birth),
            "death_date": pl.select(
                pl.when(pl.Series(dead)).then(dates(np.minimum(illness.death, illness.leaves)))
            ).to_series(),
            "death_cause": pl.select(pl.when(pl.Series(dead)).then(pl.Series(cause))).to_series(),
            "centre": of_centre("name", people.centre),
            "day": dates(people.diagnosis),
            "known_on": dates(people.diagnosis + ENROLLED_AFTER),
            "death_known_on": dates(illness.leaves + rng.integers(5, 45, n)),
            "contact_every": every,
            "contact_phase": rng.integers(0, 365, n) % every,
            "contact_until": dates(illness.leaves),
        }
    )


def as_known(tables: Mapping[str, pl.DataFrame], on: date) -> dict[str, pl.DataFrame]:
    """Return the export of a date: the rows that were known by then, columns as text.

    A death is there from when it is known. The last contact is the last event known, or a
    contact that left no row.
    """
    known = {name: frame.filter(pl.col("known_on") <= on) for name, frame in tables.items()}
    days = [frame.select("patient_id", "day") for frame in known.values()]
    last = pl.concat(days).group_by("patient_id").agg(last_day=pl.col("day").max())
    died = pl.col("death_date").is_not_null() & (pl.col("death_known_on") <= on)
    number = pl.lit(on).cast(pl.Int32)
    since = (number + pl.col("contact_phase")) % pl.col("contact_every")
    contact = pl.min_horizontal((number - since).cast(pl.Int32).cast(pl.Date), "contact_until")
    patients = (
        known["patients"]
        .join(last, on="patient_id", how="left", maintain_order="left")
        .with_columns(
            pl.when(died).then(pl.col("death_date", "death_cause")),
            last_contact_date=pl.max_horizontal("last_day", contact),
        )
    )
    known["patients"] = patients
    return {
        name: frame.select(TABLES[name].columns).cast(pl.String) for name, frame in known.items()
    }
