"""Synthetic exports: realistic, vectorised, and with the planted truth beside them.

No patient in them exists. The same number, seed and dirt give the same files.
"""

from dataclasses import dataclass

import numpy as np
import polars as pl

from flows.synth.dirt import soil
from flows.synth.events import courses, diagnoses, events, imaging, labs, metastases, surgeries
from flows.synth.people import draw_people, patients_table, truth_of
from schemas.registry import TABLES


@dataclass
class Registry:
    """A synthetic registry: its tables, the truth per patient, and what was soiled."""

    tables: dict[str, pl.DataFrame]
    truth: pl.DataFrame
    dirt: pl.DataFrame


def synthesise(patients: int, seed: int, dirt: float = 0.0) -> Registry:
    """Make a registry of `patients` patients, about 12 events each; `dirt` is a share of rows."""
    rng = np.random.default_rng(seed)
    people = draw_people(patients, rng)
    tables = {"patients": patients_table(people, rng), "diagnoses": diagnoses(people, rng)}
    tables |= {"surgeries": surgeries(people, rng), "i131_treatments": courses(people, rng)}
    tables |= {"labs": labs(people, rng), "imaging": imaging(people, rng)}
    tables |= {"metastases": metastases(people, rng), "events": events(people, rng)}
    tables = {
        name: frame.select(TABLES[name].columns).cast(pl.String) for name, frame in tables.items()
    }
    soiled, what = soil(tables, dirt, rng)
    return Registry(soiled, truth_of(people), what)
