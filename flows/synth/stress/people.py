"""The people of a registry of extremes: what is planted, one array element per patient."""

from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import polars as pl

from flows.synth.columns import END, Bools, Ints, blank_where, day_number

SAFE_DAYS = 200
"""Nobody dies so soon after the index date: what is known around it is known by then."""


@dataclass
class People:
    """Arrays with one element per patient; days are counted from 1970-01-01."""

    n: int
    pid: pl.Series
    sex: Any
    birth: Ints
    diagnosis: Ints
    surgery: Ints
    index: Ints
    treated: Bools
    last: Ints
    dead: Bools
    histology: Any
    mets: Bools
    lung: Bools
    lung_late: Bools
    truth: dict[str, Any]


def draw_people(n: int, rng: np.random.Generator) -> People:
    """Draw so many people."""
    end = day_number(END)
    age = np.clip(rng.normal(46, 15, n), 8, 88)
    diagnosis = rng.integers(day_number(date(2008, 1, 1)), end - 30, n)
    birth = diagnosis - (age * 365.25).astype(np.int64)
    surgery = diagnosis + rng.integers(0, 45, n)
    index = surgery + 20 + rng.gamma(1.2, 150, n).astype(np.int64)
    treated = (rng.random(n) < 0.9) & (index <= end)
    dead = treated & (rng.random(n) < 0.15)
    death = index + SAFE_DAYS + rng.gamma(2, 900, n).astype(np.int64)
    dead &= death <= end
    last = np.where(dead, death, end - rng.integers(0, 300, n))
    last = np.maximum(last, np.minimum(index + SAFE_DAYS, end))
    last = np.maximum(last, np.minimum(surgery, end))
    mets = rng.random(n) < 0.7
    lung = mets & (rng.random(n) < 0.55)
    return People(
        n=n,
        pid=pl.select(pl.format("P{}", pl.int_range(1, n + 1).cast(pl.String).str.zfill(7)))
        .to_series()
        .alias("patient_id"),
        sex=np.where(rng.random(n) < 0.32, "male", "female"),
        birth=birth,
        diagnosis=diagnosis,
        surgery=surgery,
        index=index,
        treated=treated,
        last=last,
        dead=dead,
        histology=rng.choice(
            ["PTC", "FTC", "OCA", "PDTC", "mixed", "ATC", "MTC"],
            n,
            p=[0.83, 0.1, 0.02, 0.02, 0.015, 0.005, 0.01],
        ),
        mets=mets,
        lung=lung,
        lung_late=lung & (rng.random(n) < 0.06),
        truth={},
    )


def event_rows(
    people: People, who: Ints, day: Ints, prefix: str, key: str, when: str
) -> pl.DataFrame:
    """Return the frame of one kind of event with patient, date and key."""
    return pl.DataFrame(
        {
            key: pl.select(
                pl.format(prefix + "{}", pl.int_range(who.size).cast(pl.String).str.zfill(8))
            ).to_series(),
            "patient_id": people.pid.gather(who),
            when: pl.Series(day.astype(np.int32)).cast(pl.Date),
        }
    )


def seen_by(people: People, who: Ints, day: Ints) -> Bools:
    """Tell which events happen while the patient lives and before the extraction."""
    return np.asarray(
        (day <= day_number(END)) & (day <= np.where(people.dead, people.last, 10**6)[who])
    )


def patients_table(people: People, rng: np.random.Generator) -> pl.DataFrame:
    """Return the patients table: one row per patient."""
    last = pl.Series(people.last.astype(np.int32)).cast(pl.Date)
    cause = np.where(rng.random(people.n) < 0.7, "thyroid_cancer", "other")
    return pl.DataFrame(
        {
            "patient_id": people.pid,
            "sex": people.sex,
            "birth_date": pl.Series(people.birth.astype(np.int32)).cast(pl.Date),
            "death_date": blank_where(last, ~people.dead),
            "death_cause": blank_where(cause, ~people.dead),
            "last_contact_date": last,
            "centre": rng.choice([f"C{i:02d}" for i in range(1, 9)], people.n),
        }
    )


def truth_of(people: People) -> pl.DataFrame:
    """Return what was planted: one row per patient."""
    treated, planted = people.treated, people.truth
    index = pl.Series(people.index.astype(np.int32)).cast(pl.Date)
    text = ("recurrence", "site_count", "extent", "fdg_uptake", "uptake_category", "stg_500")
    mci = np.round(planted["activity_gbq"] * 1000 / 37, 6)
    return pl.DataFrame(
        {
            "patient_id": people.pid,
            "sex": people.sex,
            "histology": people.histology,
            "index_date": blank_where(index, ~treated),
            "courses": planted["courses"],
            "activity_mci": blank_where(mci, ~treated),
            "nodule_cm": pl.Series(planted["nodule_cm"]).fill_nan(None),
            **{name: blank_where(planted[name], planted[name] == "") for name in text},
        }
    )
