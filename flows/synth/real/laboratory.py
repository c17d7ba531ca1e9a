"""The laboratory of a synthetic registry: Tg that follows the lesions, with TSH and TgAb.

A sample is stimulated where one would be: before a course of 131I, and once in the year after
the first where no lesions are left. All others are taken under suppression, where Tg is a tenth.
"""

import numpy as np
import polars as pl

from flows.synth.columns import Floats, Ints
from flows.synth.real.centres import of_centre
from flows.synth.real.illness import Illness
from flows.synth.real.people import People
from flows.synth.real.records import given
from flows.synth.real.rows import event_rows

SUPPRESSED = 0.1
"""Tg under suppression, as a share of the stimulated one."""
LOWEST = 0.1
"""What the assays measure, ng/mL."""
_PMOL = 0.66
_FAR = 10**6


def labs(people: People, illness: Illness, rng: np.random.Generator) -> pl.DataFrame:
    """Return one row per result: Tg, TSH and TgAb of each sample."""
    who, day, stimulated = _samples(people, illness, rng)
    # Of one day one sample: the stimulated one.
    order = np.lexsort((~stimulated, day, who))
    who, day, stimulated = who[order], day[order], stimulated[order]
    first = np.append(True, (np.diff(who) != 0) | (np.diff(day) != 0))
    who, day, stimulated = who[first], day[first], stimulated[first]
    parts = [
        _thyroglobulin(people, illness, who, day, stimulated, rng),
        _tsh(who, stimulated, rng),
        _antibodies(people, who, day, rng),
    ]
    says = of_centre("says_stimulated", people.centre)[who]
    word = np.where(stimulated, np.where(says, "yes", "unknown"), "no")
    columns = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    columns["stimulated"] = np.tile(word, len(parts))
    who, day = np.tile(who, len(parts)), np.tile(day, len(parts))
    return event_rows("labs", people, illness, who, day, columns, rng)


def _samples(
    people: People, illness: Illness, rng: np.random.Generator
) -> tuple[Ints, Ints, np.ndarray]:
    """Return whose samples were taken when, and which under stimulation."""
    at_course, number = np.nonzero(given(people, illness))
    before = illness.course_day[at_course, number] - rng.integers(0, 3, at_course.size)
    done = rng.random(at_course.size) < of_centre("stimulated", people.centre)[at_course]
    at_course, before = at_course[done], before[done]
    once = np.flatnonzero(people.treated & ~people.lesions_left & (rng.random(people.n) < 0.6))
    a_year_on = people.index[once] + rng.integers(270, 400, once.size)
    year = np.array([0.5, 1.5, 2.5, 3.5, 5, 7, 9, 11, 13, 15])
    often = (rng.random((people.n, year.size)) < 0.85) & people.treated[:, None]
    often &= ~people.lesions_left[:, None]
    in_between, column = np.nonzero(often)
    yearly = (
        people.index[in_between]
        + (365 * year[column]).astype(int)
        + rng.integers(-30, 30, in_between.size)
    )
    assessed, column = np.nonzero(illness.recist != "")
    with_ct = illness.assessment_day[assessed, column] - rng.integers(0, 8, assessed.size)
    followed, column = np.nonzero((illness.recist != "") & (rng.random(illness.recist.shape) < 0.7))
    half_a_year_on = illness.assessment_day[followed, column] + rng.integers(60, 120, followed.size)
    who = [at_course, once, in_between, assessed, followed]
    day = [before, a_year_on, yearly, with_ct, half_a_year_on]
    stimulated = np.repeat([True, True, False, False, False], [w.size for w in who])
    joined = np.concatenate(who), np.concatenate(day), stimulated
    kept = joined[1] >= people.surgery[joined[0]]
    return joined[0][kept], joined[1][kept], joined[2][kept]


def _course_of_tg(people: People, illness: Illness, who: Ints, day: Ints) -> Floats:
    """Return stimulated Tg of a day as a share of that before the first course."""
    years = np.maximum(day - people.index[who], 0) / 365.25
    gone = np.exp(-9 * years)
    complete = illness.complete[who]
    to_cr = np.maximum(complete - people.index[who], 1) / 365.25
    responding = np.exp(-4.5 * np.minimum(years / to_cr, 1.2))
    stays = np.exp(-0.06 * np.minimum(years, 5))
    # Where PD is to come, Tg starts to rise eight months before it, and doubles in ten.
    rising = np.maximum(day - illness.progression[who] + 240, 0) / 365.25
    grows = np.minimum(2 ** (rising / 0.85), 40.0)
    back = np.where(day >= illness.relapse[who] - 100, 8.0, 0.0)
    return np.select(
        [people.lesions_left[who] & (complete < _FAR), people.lesions_left[who]],
        [responding, stays * grows],
        gone + back,
    )


def _thyroglobulin(
    people: People,
    illness: Illness,
    who: Ints,
    day: Ints,
    stimulated: np.ndarray,
    rng: np.random.Generator,
) -> dict[str, np.ndarray]:
    value = illness.stg[who] * _course_of_tg(people, illness, who, day)
    value = value * np.where(stimulated, 1.0, SUPPRESSED)
    at_index = (day <= people.index[who]) & stimulated
    value = value * np.where(at_index, 1.0, np.exp(0.1 * rng.normal(size=who.size)))
    limit = of_centre("tg_limit", people.centre)[who]
    above, below = value > limit, value < LOWEST
    value = np.clip(value, LOWEST, limit)
    unit = of_centre("tg_unit", people.centre)[who]
    value = np.where(unit == "pmol/L", value / _PMOL, value)
    return {
        "analyte": np.full(who.size, "Tg"),
        "comparator": np.select([above, below], [">", "<"], "="),
        "value": np.where(value >= 10, np.round(value, 1), np.round(value, 2)),
        "unit": unit,
    }


def _tsh(who: Ints, stimulated: np.ndarray, rng: np.random.Generator) -> dict[str, np.ndarray]:
    high = rng.uniform(34, 140, who.size)
    low = np.clip(rng.lognormal(np.log(0.15), 1.0, who.size), 0.01, 4)
    return {
        "analyte": np.full(who.size, "TSH"),
        "comparator": np.full(who.size, "="),
        "value": np.round(np.where(stimulated, high, low), 2),
        "unit": np.full(who.size, "mIU/L"),
    }


def _antibodies(
    people: People, who: Ints, day: Ints, rng: np.random.Generator
) -> dict[str, np.ndarray]:
    """Return TgAb: one in twelve has them, slowly falling."""
    has = rng.random(people.n) < 0.085
    level = rng.lognormal(np.log(170), 0.7, people.n)
    falls = np.exp(-0.15 * np.maximum(day - people.index[who], 0) / 365.25)
    value = np.where(has[who], level[who] * falls, 0.0)
    low = value < 15
    return {
        "analyte": np.full(who.size, "TgAb"),
        "comparator": np.where(low, "<", "="),
        "value": np.where(low, 15.0, np.round(value, 1)),
        "unit": np.full(who.size, "IU/mL"),
    }
