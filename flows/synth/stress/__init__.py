"""A registry of extremes: every state of every variable in a few hundred patients.

Seven in ten have a metastasis, a quarter progressed, and nothing hangs together. It tries the
product; it looks like no registry. The same number and seed give the same tables.
"""

import numpy as np
import polars as pl

from flows.synth.stress.events import (
    courses,
    diagnoses,
    events,
    imaging,
    labs,
    metastases,
    surgeries,
)
from flows.synth.stress.people import draw_people, patients_table, truth_of
from schemas.registry import TABLES


def draw_extremes(
    patients: int, rng: np.random.Generator
) -> tuple[dict[str, pl.DataFrame], pl.DataFrame]:
    """Return the tables as text, and what was planted: one row per patient."""
    people = draw_people(patients, rng)
    tables = {"patients": patients_table(people, rng), "diagnoses": diagnoses(people, rng)}
    tables |= {"surgeries": surgeries(people, rng), "i131_treatments": courses(people, rng)}
    tables |= {"labs": labs(people, rng), "imaging": imaging(people, rng)}
    tables |= {"metastases": metastases(people, rng), "events": events(people, rng)}
    text = {
        name: frame.select(TABLES[name].columns).cast(pl.String) for name, frame in tables.items()
    }
    return text, truth_of(people)
