"""Synthetic exports: vectorised, and with the planted truth beside them.

No patient in them exists. The same number, seed and dirt give the same files.
"""

from dataclasses import dataclass

import numpy as np
import polars as pl

from flows.synth.columns import END
from flows.synth.dirt import soil
from flows.synth.real import draw_registry
from flows.synth.real.rows import as_known
from flows.synth.stress import draw_extremes


@dataclass
class Registry:
    """A synthetic registry: its tables, the truth per patient, and what was soiled."""

    tables: dict[str, pl.DataFrame]
    truth: pl.DataFrame
    dirt: pl.DataFrame


def synthesise(patients: int, seed: int, dirt: float = 0.0, *, stress: bool = True) -> Registry:
    """Make a registry of so many patients; `dirt` is the share of rows to soil.

    With `stress`, as tests want it, one of extremes (flows.synth.stress), about 12 events a
    patient; without, one as it is (flows.synth.real), as known on END, about 20.
    """
    rng = np.random.default_rng(seed)
    if stress:
        tables, truth = draw_extremes(patients, rng)
    else:
        drawn = draw_registry(patients, seed)
        tables, truth = as_known(drawn.tables, END), drawn.truth
    soiled, what = soil(tables, dirt, rng)
    return Registry(soiled, truth, what)
