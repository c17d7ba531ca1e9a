"""What comes of the people: courses, assessments, response, progression, death.

Deaths of patients with lung metastases follow the hazards of the shipped OS model: its linear
predictor, and a Weibull curve through its baseline survival at five and ten years. Anybody else
dies of age. Whoever is lost to follow-up leaves no trace afterwards, not even a death.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from flows.synth.columns import END, Bools, Floats, Ints, Words, day_number
from flows.synth.real.centres import of_centre
from flows.synth.real.people import People, linear_predictor
from models.spec import library

COURSES = 6
"""Courses of one patient at most."""
YEARS = 9
"""Yearly assessments after the last course at most."""
_FAR = 10**6


@dataclass
class Illness:
    """Arrays with one row per patient; days are counted from 1970-01-01.

    An assessment is a CT with RECIST: one half a year after each course, then one a year after
    the last. Only who has lesions left has any.
    """

    wanted: Ints
    """Number of courses, were the patient to live and stay."""
    course_day: Ints
    course_gbq: Floats
    uptake: Words
    relapse: Ints
    """Day on which a node was found in somebody without lesions; far away where none was."""
    assessment_day: Ints
    recist: Words
    """Empty where there is no such assessment."""
    progression: Ints
    complete: Ints
    """Days of the first PD and of the first CR; far away where there is none."""
    stg: Floats
    """Stimulated thyroglobulin before the first course, ng/mL."""
    nodule: Floats
    """Largest lung nodule before the first course, cm."""
    os_linear_predictor: Floats
    """Of the OS model; NaN without lung metastases."""
    death: Ints
    leaves: Ints
    """The day after which nothing is recorded: death, loss to follow-up, or the extraction."""

    @property
    def dead(self) -> Bools:
        """Whether the death is on record."""
        return self.death <= self.leaves


def draw_illness(people: People, rng: np.random.Generator) -> Illness:
    """Draw what comes of the people."""
    fate = _fate(people, rng)
    wanted = _wanted(people, fate, rng)
    day = _course_days(people, wanted, rng)
    relapse = np.where(
        ~people.lesions_left & (rng.random(people.n) < 0.02),
        people.index + rng.integers(400, 2000, people.n),
        _FAR,
    )
    wanted = np.where(relapse < _FAR, 2, wanted)
    day[:, 1] = np.where(relapse < _FAR, relapse + rng.integers(30, 90, people.n), day[:, 1])
    assessed = _assessment_days(day, wanted, rng)
    recist, progression, complete = _responses(people, fate, wanted, assessed, rng)
    gbq = _activities(people, wanted, rng)
    stg, nodule = _burden(people, rng)
    linear = _os_linear_predictor(people, gbq[:, 0], stg, nodule)
    death = people.index + _survival_days(people, linear, rng)
    lost = people.index + (rng.exponential(22, people.n) * 365.25).astype(np.int64)
    return Illness(
        wanted=wanted,
        course_day=day,
        course_gbq=gbq,
        uptake=_uptakes(people, wanted, relapse),
        relapse=relapse,
        assessment_day=assessed,
        recist=recist,
        progression=progression,
        complete=complete,
        stg=stg,
        nodule=nodule,
        os_linear_predictor=linear,
        death=death,
        leaves=np.minimum(np.minimum(death, lost), day_number(END)),
    )


def _fate(people: People, rng: np.random.Generator) -> Words:
    """Draw where the lesions go: CR, PR or SD; PD where they progress at last."""
    draw = rng.random(people.n)
    plain = np.select([draw < 0.62, draw < 0.8, draw < 0.9], ["CR", "PR", "SD"], "PD")
    by_type = {4: 1.0, 5: 0.2}
    progresses = np.select(
        [people.rrdtc == t for t in by_type], [draw < p for p in by_type.values()], draw < 0.4
    )
    refractory = np.where(progresses, "PD", np.where(draw < 0.8, "SD", "PR"))
    return np.where(people.rrdtc > 0, refractory, plain)


def _wanted(people: People, fate: Words, rng: np.random.Generator) -> Ints:
    """Draw the number of courses: one without lesions, more with them."""
    n = people.n
    few = rng.choice([1, 2, 3], n, p=[0.35, 0.4, 0.25])
    return np.select(
        [~people.lesions_left, people.rrdtc == 2, people.rrdtc == 5, people.rrdtc > 0],
        [np.ones(n, int), few + 1, rng.integers(5, 7, n), few],
        np.where(fate == "CR", few, rng.integers(2, 4, n)),
    )


def _course_days(people: People, wanted: Ints, rng: np.random.Generator) -> Ints:
    gaps = rng.integers(210, 400, (people.n, COURSES))
    gaps[:, 0] = 0
    return people.index[:, None] + np.cumsum(gaps, axis=1)


def _assessment_days(course_day: Ints, wanted: Ints, rng: np.random.Generator) -> Ints:
    """Return the days: a column per course, then one per year. Those not wanted are far away."""
    n = wanted.size
    after = course_day + rng.integers(150, 195, (n, COURSES))
    after = np.where(np.arange(COURSES) < wanted[:, None], after, _FAR)
    last = course_day[np.arange(n), wanted - 1]
    yearly = last[:, None] + 372 * np.arange(1, YEARS + 1) + rng.integers(0, 50, (n, YEARS))
    return np.concatenate([after, yearly], axis=1)


def _responses(
    people: People, fate: Words, wanted: Ints, assessed: Ints, rng: np.random.Generator
) -> tuple[Words, Ints, Ints]:
    """Return RECIST per assessment, and the days of the first PD and of the first CR.

    Only RR-DTC may progress within a year after a course: else criterion 4 would be met.
    """
    n, column = people.n, np.arange(COURSES + YEARS)
    soon, later = wanted - 1, COURSES + rng.integers(0, 5, n)
    at_once = (people.rrdtc == 4) | ((people.rrdtc > 0) & (rng.random(n) < 0.35))
    turn = np.where(at_once | (fate == "CR"), soon, later)[:, None]
    noise = rng.random(assessed.shape)
    before = np.where((fate == "PR")[:, None] | (noise > 0.75), "PR", "SD")
    if_worse = np.where(column == turn, "PD", np.where(noise < 0.6, "SD", "PD"))
    label = np.where(noise < 0.02, "NE", before)
    label = np.where((fate == "PD")[:, None] & (column >= turn), if_worse, label)
    label = np.where((fate == "CR")[:, None], np.where(column >= turn, "CR", "PR"), label)
    there = (assessed < _FAR) & people.lesions_left[:, None] & people.treated[:, None]
    day = np.take_along_axis(assessed, turn, axis=1)[:, 0]
    return (
        np.where(there, label, ""),
        np.where((fate == "PD") & people.lesions_left, day, _FAR),
        np.where((fate == "CR") & people.lesions_left, day, _FAR),
    )


def _uptakes(people: People, wanted: Ints, relapse: Ints) -> Words:
    """Return what the lesions took up: it plants the criterion. Without lesions, not assessed."""
    is_last = np.arange(COURSES) == wanted[:, None] - 1
    kind = people.rrdtc[:, None]
    seen = np.select(
        [kind == 1, (kind == 2) & is_last, (kind == 3) & is_last], ["none", "none", "some"], "all"
    )
    has_lesion = people.lesions_left[:, None] | ((relapse < _FAR)[:, None] & is_last)
    return np.where(has_lesion, seen, "not_assessed")


def _activities(people: People, wanted: Ints, rng: np.random.Generator) -> Floats:
    """Draw activities in GBq; more than 600 mCi in total only where that is fated."""
    n = people.n
    distant = rng.normal(6.05, 1.3, n) + of_centre("more_gbq", people.centre)
    first = np.select(
        [people.distant, people.nodal],
        [np.clip(distant, 1.85, 9.25), rng.normal(4.6, 0.6, n)],
        rng.choice([1.11, 1.85, 3.7], n, p=[0.45, 0.2, 0.35]) * rng.normal(1, 0.02, n),
    )
    later = np.clip(rng.normal(5.2, 0.6, (n, COURSES)), 3.7, 5.55)
    later = np.where((people.rrdtc == 5)[:, None], np.clip(later + 0.8, 5.55, 6.3), later)
    later[:, 0] = first
    return np.round(later, 2)


def _burden(people: People, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Draw stimulated Tg and lung nodules: with lung metastases as in Jin 2025, Table 1."""
    middle = np.select([people.distant, people.lesions_left, people.nodal], [420.0, 25.0, 2.0], 1.2)
    spread = np.select([people.distant, people.lesions_left], [1.5, 1.3], 1.1)
    stg = middle * np.exp(spread * rng.normal(size=people.n))
    nodule = np.clip(rng.lognormal(np.log(0.8), 0.65, people.n), 0.2, 5)
    return np.round(stg, 1), np.round(nodule, 1)


def os_predictors(people: People, first_gbq: Floats, stg: Floats, nodule: Floats) -> dict[str, Any]:
    """Return the predictors of the OS model, as they truly are."""
    others = np.any([people.sites[organ] for organ in ("bone", "liver", "pleura", "brain")], axis=0)
    return {
        "sex": np.where(people.male, "male", "female"),
        "age_55": np.where(np.floor(people.age_on(people.index)) >= 55, "yes", "no"),
        "extent": np.where(others, "lung_and_other", "lung"),
        "activity_mci": np.round(first_gbq * 1000 / 37, 6),
        "uptake_category": np.select(
            [people.rrdtc == 1, people.rrdtc == 2],
            ["primary_nonuptake", "secondary_nonuptake"],
            "uptake",
        ),
        "nodule_cm": nodule,
        "stg_500": np.where(stg >= 500, "at_or_above", "below"),
    }


def _os_linear_predictor(people: People, gbq: Floats, stg: Floats, nodule: Floats) -> Floats:
    known = os_predictors(people, gbq, stg, nodule)
    linear = linear_predictor(library()["jin2025_os"], known)
    return np.where(people.lung & (people.age_on(people.index) >= 18), linear, np.nan)


def _survival_days(people: People, linear: Floats, rng: np.random.Generator) -> Ints:
    """Draw days from the first 131I therapy to death, by inverting the cumulative hazard."""
    baseline = {one.years: one.survival.value for one in library()["jin2025_os"].baseline}
    five, ten = (-np.log(baseline[years]) for years in (5, 10))
    shape = np.log(ten / five) / np.log(2)
    drawn = rng.exponential(size=people.n)
    of_model = 10 * (drawn / (ten * np.exp(np.nan_to_num(linear)))) ** (1 / shape)
    # Gompertz, as in the general population: the hazard doubles every eight years of age.
    rate, level = np.log(2) / 8, 0.0006 * np.exp(np.log(2) / 8 * (people.age_on(people.index) - 50))
    of_age = np.log1p(drawn * rate / level) / rate
    years = np.where(np.isnan(linear), of_age, of_model)
    return np.maximum((np.minimum(years, 200) * 365.25).astype(np.int64), 1)
