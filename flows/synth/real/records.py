"""The tables of a synthetic registry but for the laboratory: what was done and found."""

import numpy as np
import polars as pl

from flows.synth.columns import Bools, Ints, Words, blank_where
from flows.synth.real.centres import of_centre
from flows.synth.real.illness import COURSES, Illness
from flows.synth.real.people import People
from flows.synth.real.rows import event_rows

_FAR = 10**6


def diagnoses(people: People, illness: Illness, rng: np.random.Generator) -> pl.DataFrame:
    """Return one row per diagnosis: one of each patient."""
    n = people.n
    metastatic = people.distant & ~people.lung_late & (rng.random(n) < 0.85)
    large = people.distant | people.lesions_left
    columns = {
        "histology": people.histology,
        "t": np.where(large, rng.choice(["2", "3", "4"], n), rng.choice(["1", "2", "3"], n)),
        "n": np.where(people.sites["lymph_node"], "1", "0"),
        "m": np.where(metastatic, "1", "0"),
        "stage": np.where(metastatic, "II", rng.choice(["I", "II"], n, p=[0.8, 0.2])),
        "tumour_size": np.round(rng.gamma(3, np.where(large, 8.5, 5.5), n), 1),
        "tumour_size_unit": np.full(n, "mm"),
        "extrathyroidal_extension": np.where(
            rng.random(n) < np.where(large, 0.4, 0.1), "pathological", "no"
        ),
        "multifocal": rng.choice(["no", "yes"], n, p=[0.6, 0.4]),
        "autoimmune_thyroid_disease": rng.choice(["no", "yes"], n, p=[0.8, 0.2]),
        "recurrence_risk": np.select(
            [large, people.nodal], ["high", "medium"], rng.choice(["low", "medium"], n)
        ),
    }
    return event_rows("diagnoses", people, illness, np.arange(n), people.diagnosis, columns, rng)


def surgeries(people: People, illness: Illness, rng: np.random.Generator) -> pl.DataFrame:
    """Return one row per operation: of the thyroid, and of recurrent nodes."""
    n = people.n
    again = np.flatnonzero(people.recurred)
    who = np.concatenate([np.arange(n), again])
    between = people.surgery[again] + (0.7 * (people.index - people.surgery)[again]).astype(int)
    first = rng.choice(["total", "near_total"], n, p=[0.9, 0.1])
    procedure = np.concatenate([first, np.full(again.size, "neck_dissection")])
    day = np.concatenate([people.surgery, between])
    return event_rows("surgeries", people, illness, who, day, {"procedure": procedure}, rng)


def courses(people: People, illness: Illness, rng: np.random.Generator) -> pl.DataFrame:
    """Return one row per course of 131I."""
    who, number = np.nonzero(given(people, illness))
    gbq = illness.course_gbq[who, number]
    unit = rng.choice(["GBq", "MBq", "mCi"], 6)[people.centre[who]]
    value = np.select([unit == "GBq", unit == "MBq"], [gbq, gbq * 1000], gbq * 1000 / 37)
    columns = {
        "activity": np.round(value, 6),
        "activity_unit": unit,
        "intent": np.where(illness.uptake[who, number] == "not_assessed", "ablation", "therapy"),
        "lesion_uptake": illness.uptake[who, number],
    }
    day = illness.course_day[who, number]
    return event_rows("i131_treatments", people, illness, who, day, columns, rng)


def given(people: People, illness: Illness) -> Bools:
    """Return which courses are to be given: a row per patient."""
    return (np.arange(COURSES) < illness.wanted[:, None]) & people.treated[:, None]


def imaging(people: People, illness: Illness, rng: np.random.Generator) -> pl.DataFrame:
    """Return one row per study: PET/CT and CT at the first course, follow-up CT and US."""
    parts = [
        _pet(people, rng),
        _first_ct(people, illness, rng),
        _assessments(people, illness),
        _all_clear(people, rng),
        _ultrasound(people, rng),
    ]
    joined = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    suv, nodule = joined["suv"], joined["nodule"]
    in_mm = of_centre("tg_unit", people.centre)[joined["who"]] == "ng/mL"
    columns = {
        "modality": joined["modality"],
        "suv_max": pl.Series(suv).fill_nan(None),
        "fdg_positive": blank_where(np.where(suv >= 2.5, "yes", "no"), np.isnan(suv)),
        "largest_lung_nodule": pl.Series(
            np.where(in_mm, np.round(nodule * 10, 1), nodule)
        ).fill_nan(None),
        "largest_lung_nodule_unit": blank_where(np.where(in_mm, "mm", "cm"), np.isnan(nodule)),
        "recist": blank_where(joined["recist"], joined["recist"] == ""),
    }
    who, day = joined["who"], joined["day"]
    return event_rows("imaging", people, illness, who, day, columns, rng)


def _studies(who: Ints, day: Ints, modality: str, **said: Words) -> dict[str, Words]:
    nothing = np.full(who.size, np.nan)
    plain = {"suv": nothing, "nodule": nothing, "recist": np.full(who.size, "", dtype="<U2")}
    return {"who": who, "day": day, "modality": np.full(who.size, modality)} | plain | said


def _pet(people: People, rng: np.random.Generator) -> dict[str, Words]:
    n = people.n
    usual = np.where(people.nodal, 0.08, 0.01)
    has = rng.random(n) < np.where(people.lesions_left, of_centre("pet", people.centre), usual)
    outside = rng.random(n) < 0.08
    offset = np.where(outside, rng.integers(-45, -8, n), rng.integers(-6, 6, n))
    suv = np.where(people.avid, 2.6 + rng.gamma(2.2, 2.6, n), 0.8 + 1.6 * rng.random(n))
    who = np.flatnonzero(has & people.treated)
    return _studies(who, (people.index + offset)[who], "FDG_PETCT", suv=np.round(suv, 1)[who])


def _first_ct(people: People, illness: Illness, rng: np.random.Generator) -> dict[str, Words]:
    who = np.flatnonzero(people.lung & (rng.random(people.n) < 0.93))
    day = people.index[who] - rng.integers(0, 60, who.size)
    return _studies(who, day, "CT", nodule=illness.nodule[who])


def _assessments(people: People, illness: Illness) -> dict[str, Words]:
    who, column = np.nonzero(illness.recist != "")
    day, recist = illness.assessment_day[who, column], illness.recist[who, column]
    years = np.maximum(day - illness.progression[who], 0) / 365.25
    shrinks = np.where(recist == "PR", 0.65, np.where(recist == "PD", 1.35, 1.0))
    size = np.round(illness.nodule[who] * shrinks * (1 + 0.1 * years), 1)
    shown = people.lung[who] & (recist != "CR")
    return _studies(who, day, "CT", nodule=np.where(shown, size, np.nan), recist=recist)


def _all_clear(people: People, rng: np.random.Generator) -> dict[str, Words]:
    """Return the CT a year after nodes that were all removed: a complete response."""
    who = np.flatnonzero(people.nodal & ~people.lesions_left & people.treated)
    day = people.index[who] + rng.integers(170, 330, who.size)
    return _studies(who, day, "CT", recist=np.full(who.size, "CR"))


def _ultrasound(people: People, rng: np.random.Generator) -> dict[str, Words]:
    year = np.array([1, 2, 4, 6, 9])
    has = (rng.random((people.n, year.size)) < 0.75) & people.treated[:, None]
    has &= ~people.distant[:, None]
    who, column = np.nonzero(has)
    day = people.index[who] + 365 * year[column] + rng.integers(-40, 40, who.size)
    return _studies(who, day, "US")


def metastases(people: People, illness: Illness, rng: np.random.Generator) -> pl.DataFrame:
    """Return one row per site found, and of a node that came later."""
    parts = []
    for site, has in people.sites.items():
        who = np.flatnonzero(has)
        by_operation = people.surgery[who] + rng.integers(-8, 12, who.size)
        by_scan = people.index[who] + rng.integers(2, 6, who.size)
        on_scan = rng.random(who.size) < (0.0 if site == "lymph_node" else 0.4)
        day = np.where(on_scan & people.treated[who], by_scan, by_operation)
        if site == "lung":
            late = people.index[who] + rng.integers(230, 700, who.size)
            day = np.where(people.lung_late[who], late, day)
        parts.append((who, np.maximum(day, people.diagnosis[who]), site))
    who = np.flatnonzero((illness.relapse < _FAR) & people.treated)
    parts.append((who, illness.relapse[who], "lymph_node"))
    sites = np.concatenate([np.full(who.size, site) for who, _, site in parts])
    who = np.concatenate([who for who, _, _ in parts])
    day = np.concatenate([day for _, day, _ in parts])
    columns = {"site": sites, "basis": np.full(who.size, "imaging")}
    columns["found"] = np.full(who.size, "yes")
    return event_rows("metastases", people, illness, who, day, columns, rng)


def events(people: People, illness: Illness, rng: np.random.Generator) -> pl.DataFrame:
    """Return one row per recurrence, and per progression: on the day of the CT that showed it."""
    wait = people.index - people.surgery
    recurred = np.flatnonzero(people.recurred)
    came_back = np.flatnonzero((illness.relapse < _FAR) & people.treated)
    progressed = np.flatnonzero((illness.progression < _FAR) & people.treated)
    share = 0.3 + 0.35 * rng.random(recurred.size)
    day = [
        people.surgery[recurred] + (share * wait[recurred]).astype(int),
        illness.relapse[came_back],
        illness.progression[progressed],
    ]
    who = np.concatenate([recurred, came_back, progressed])
    kinds = ["recurrence", "recurrence", "progression"]
    columns = {
        "type": np.repeat(kinds, [recurred.size, came_back.size, progressed.size]),
        "basis": np.full(who.size, "structural"),
        "found": np.full(who.size, "yes"),
    }
    return event_rows("events", people, illness, who, np.concatenate(day), columns, rng)
