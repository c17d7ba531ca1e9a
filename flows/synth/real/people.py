"""The people of a registry as it is: who, when, which lesions, and what is to come of them.

Shares: 6 % have lung or other distant metastases, 17 % of all nodal ones, the rest none. Nodal
metastases are mostly gone with the operation; RR-DTC is fated only where lesions are left, with
the intercept and the odds of the shipped nomogram (Liu 2022, Table 2).
"""

from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import polars as pl

from flows.synth.columns import END, Bools, Floats, Ints, Words, day_number, numbered
from flows.synth.real.centres import CENTRES, of_centre
from models.bounds import with_bounds
from models.parts import Model
from models.spec import library

DISTANT, NODAL = 0.06, 0.18
"""Shares: of all patients; of those without distant metastases."""
LEFT = 0.4
"""Of nodal metastases, the share that the operation leaves behind."""
TYPES = {1: 0.42, 2: 0.25, 3: 0.18, 4: 0.12, 5: 0.03}
"""The RR-DTC criterion that is met first, and its share."""
ORGANS = {"bone": 0.15, "liver": 0.02, "pleura": 0.02, "brain": 0.02}
"""Organs beside the lung, and the share of patients with distant metastases who have them."""
_HISTOLOGY = {"PTC": 0.87, "FTC": 0.085, "OCA": 0.02, "PDTC": 0.008, "mixed": 0.012, "MTC": 0.005}
_SPREADS = {"FTC": 2.0, "OCA": 1.5, "PDTC": 6.0, "MTC": 0.0}


@dataclass
class People:
    """Arrays with one element per patient; days are counted from 1970-01-01."""

    n: int
    pid: pl.Series
    centre: Ints
    male: Bools
    birth: Ints
    diagnosis: Ints
    surgery: Ints
    index: Ints
    treated: Bools
    histology: Words
    distant: Bools
    nodal: Bools
    sites: dict[str, Bools]
    lung_late: Bools
    lesions_left: Bools
    """Whether lesions are left after the operation."""
    recurred: Bools
    avid: Bools
    """Whether the lesions take up FDG."""
    rrdtc: Ints
    """The RR-DTC criterion that is fated to be met first; 0 none."""

    @property
    def lung(self) -> Bools:
        """Whether there are lung metastases within half a year of the first 131I therapy."""
        return self.sites["lung"] & ~self.lung_late & self.treated

    def age_on(self, day: Ints) -> Floats:
        """Return the age in years on a day."""
        return (day - self.birth) / 365.25


def draw_people(n: int, rng: np.random.Generator) -> People:
    """Draw so many people."""
    centre = rng.choice(len(CENTRES), n, p=[one.share for one in CENTRES])
    male = rng.random(n) < 0.27
    age = np.clip(rng.normal(46, 14.5, n), 14, 86)
    histology = rng.choice(list(_HISTOLOGY), n, p=np.array([*_HISTOLOGY.values()]))
    distant, nodal = _spread(histology, age, rng)
    end = day_number(END)
    start = day_number(date(2014, 1, 1))
    diagnosis = (start + (end - 12 - start) * rng.random(n) ** 0.65).astype(np.int64)
    surgery = diagnosis + rng.integers(3, 40, n)
    left = distant | (nodal & (rng.random(n) < LEFT))
    recurred = left & (rng.random(n) < np.where(distant, 0.14, 0.24))
    wait = np.where(recurred, 150 + rng.gamma(2, 170, n), 25 + rng.gamma(2.5, 22, n))
    index = surgery + (wait * of_centre("waits", centre)).astype(np.int64)
    sites = _sites(distant, nodal, rng)
    late = sites["lung"] & (rng.random(n) < 0.04)
    avid = left & (rng.random(n) < np.where(distant, 0.45, 0.3) * np.where(age >= 48, 1.25, 0.8))
    people = People(
        n=n,
        pid=numbered("P", n, 7, start=1).alias("patient_id"),
        centre=centre,
        male=male,
        birth=diagnosis - (age * 365.25).astype(np.int64),
        diagnosis=diagnosis,
        surgery=surgery,
        index=index,
        treated=(index <= end) & (histology != "MTC"),
        histology=histology,
        distant=distant,
        nodal=nodal,
        sites=sites,
        lung_late=late,
        lesions_left=left,
        recurred=recurred,
        avid=avid,
        rrdtc=np.zeros(n, np.int64),
    )
    fated = left & (rng.random(n) < rrdtc_probability(people))
    people.rrdtc = np.where(fated, rng.choice(list(TYPES), n, p=[*TYPES.values()]), 0)
    return people


def _spread(histology: Words, age: Floats, rng: np.random.Generator) -> tuple[Bools, Bools]:
    """Draw who has distant metastases, and who of the others has nodal ones."""
    weight = np.ones(histology.size)
    for name, times in _SPREADS.items():
        weight[histology == name] *= times
    weight *= np.where(age >= 55, 1.6, 0.9)
    distant = rng.random(histology.size) < DISTANT * weight / weight.mean()
    weight = np.where(histology == "PTC", 1.1, 0.35) * np.where(age < 45, 1.25, 0.85)
    nodal = rng.random(histology.size) < NODAL * weight / weight.mean()
    return distant, nodal & ~distant & (histology != "MTC")


def _sites(distant: Bools, nodal: Bools, rng: np.random.Generator) -> dict[str, Bools]:
    n = distant.size
    sites = {"lung": distant & (rng.random(n) < 0.87)}
    sites |= {organ: distant & (rng.random(n) < share) for organ, share in ORGANS.items()}
    sites["bone"] |= distant & ~np.any([*sites.values()], axis=0)
    sites["lymph_node"] = nodal | (distant & (rng.random(n) < 0.5))
    sites["larynx_trachea"] = nodal & (rng.random(n) < 0.04)
    return sites


def linear_predictor(model: Model, features: dict[str, Any]) -> Floats:
    """Return the linear predictor of a shipped model; every predictor must be known."""
    asked = [criterion.feature for criterion in model.eligibility]
    asked += [range_.feature for range_ in model.developed_on]
    frame = pl.DataFrame({"patient_id": [""] * len(next(iter(features.values()))), **features})
    unasked = [pl.lit(None).alias(name) for name in {*asked} - {*frame.columns}]
    return with_bounds(frame.with_columns(unasked), model, [])["lp_lower"].to_numpy()


def liu_predictors(people: People) -> dict[str, Words]:
    """Return the four predictors of Liu 2022, as they truly are."""
    number = np.sum([has.astype(int) for has in people.sites.values()], axis=0)
    number -= people.lung_late
    age = np.floor(people.age_on(people.diagnosis))
    return {
        "age_48": np.where(age >= 48, "yes", "no"),
        "recurrence": np.where(people.recurred, "yes", "no"),
        "site_count": np.where(number > 1, "multi", "single"),
        "fdg_uptake": np.where(people.avid, "positive", "negative"),
    }


def rrdtc_probability(people: People) -> Floats:
    """Return the probability of RR-DTC, were lesions left."""
    linear = linear_predictor(library()["liu2022_nomogram"], liu_predictors(people))
    return 1 / (1 + np.exp(-linear))
