"""Synthetic exports: realistic, vectorised, and with the planted truth beside them.

No patient in them exists. The same number, seed and dirt give the same files.
"""

from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import polars as pl

from flows.synth_dirt import soil
from schemas.registry import TABLES

END = date(2026, 6, 30)
"""The day of the extraction; nothing that is not dirt happens after it."""

Ints = Any
"""A numpy array of whole numbers; days are counted from 1970-01-01."""
Bools = Any
"""A numpy array of truth values."""

_EPOCH = date(1970, 1, 1)
_MAX_COURSES = 5
_SAFE_DAYS = 200
"""Nobody dies so soon after the index date: what is known around it is known by then."""


def _day(day: date) -> int:
    return (day - _EPOCH).days


@dataclass
class Registry:
    """A synthetic registry: its tables, the truth per patient, and what was soiled."""

    tables: dict[str, pl.DataFrame]
    truth: pl.DataFrame
    dirt: pl.DataFrame


def synthesise(patients: int, seed: int, dirt: float = 0.0) -> Registry:
    """Make a registry of `patients` patients, about 12 events each; `dirt` is a share of rows."""
    rng = np.random.default_rng(seed)
    people = _people(patients, rng)
    tables = {"patients": _patients(people, rng), "diagnoses": _diagnoses(people, rng)}
    tables |= {"surgeries": _surgeries(people, rng), "i131_treatments": _courses(people, rng)}
    tables |= {"labs": _labs(people, rng), "imaging": _imaging(people, rng)}
    tables |= {"metastases": _metastases(people, rng), "events": _events(people, rng)}
    tables = {
        name: frame.select(TABLES[name].columns).cast(pl.String) for name, frame in tables.items()
    }
    soiled, what = soil(tables, dirt, rng)
    return Registry(soiled, _truth(people), what)


@dataclass
class _People:
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


def _people(n: int, rng: np.random.Generator) -> _People:
    end = _day(END)
    age = np.clip(rng.normal(46, 15, n), 8, 88)
    diagnosis = rng.integers(_day(date(2008, 1, 1)), end - 30, n)
    birth = diagnosis - (age * 365.25).astype(np.int64)
    surgery = diagnosis + rng.integers(0, 45, n)
    index = surgery + 20 + rng.gamma(1.2, 150, n).astype(np.int64)
    treated = (rng.random(n) < 0.9) & (index <= end)
    dead = treated & (rng.random(n) < 0.15)
    death = index + _SAFE_DAYS + rng.gamma(2, 900, n).astype(np.int64)
    dead &= death <= end
    last = np.where(dead, death, end - rng.integers(0, 300, n))
    last = np.maximum(last, np.minimum(index + _SAFE_DAYS, end))
    last = np.maximum(last, np.minimum(surgery, end))
    mets = rng.random(n) < 0.7
    lung = mets & (rng.random(n) < 0.55)
    return _People(
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


def _rows(people: _People, who: Ints, day: Ints, prefix: str, key: str, when: str) -> pl.DataFrame:
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


def _seen(people: _People, who: Ints, day: Ints) -> Bools:
    """Tell which events happen while the patient lives and before the extraction."""
    return np.asarray((day <= _day(END)) & (day <= np.where(people.dead, people.last, 10**6)[who]))


def _blank(values: Any, empty: Bools) -> pl.Series:
    series = pl.Series(values)
    return pl.select(pl.when(~pl.Series(empty)).then(series)).to_series()


def _patients(people: _People, rng: np.random.Generator) -> pl.DataFrame:
    last = pl.Series(people.last.astype(np.int32)).cast(pl.Date)
    cause = np.where(rng.random(people.n) < 0.7, "thyroid_cancer", "other")
    return pl.DataFrame(
        {
            "patient_id": people.pid,
            "sex": people.sex,
            "birth_date": pl.Series(people.birth.astype(np.int32)).cast(pl.Date),
            "death_date": _blank(last, ~people.dead),
            "death_cause": _blank(cause, ~people.dead),
            "last_contact_date": last,
            "centre": rng.choice([f"C{i:02d}" for i in range(1, 9)], people.n),
        }
    )


def _diagnoses(people: _People, rng: np.random.Generator) -> pl.DataFrame:
    who = np.arange(people.n)
    n = people.n
    return _rows(people, who, people.diagnosis, "D", "diagnosis_id", "diagnosis_date").with_columns(
        histology=pl.Series(people.histology),
        t=pl.Series(rng.choice(["1", "2", "3", "4", "X"], n)),
        n=pl.Series(rng.choice(["0", "1", "X"], n)),
        m=pl.Series(rng.choice(["0", "1"], n)),
        stage=pl.Series(rng.choice(["I", "II", "III", "IVA", "IVB"], n)),
        tumour_size=pl.Series(np.round(rng.gamma(3, 7, n), 1)),
        tumour_size_unit=pl.lit("mm"),
        extrathyroidal_extension=pl.Series(rng.choice(["no", "pathological", "intraoperative"], n)),
        multifocal=pl.Series(rng.choice(["no", "yes"], n)),
        autoimmune_thyroid_disease=pl.Series(rng.choice(["no", "yes"], n, p=[0.8, 0.2])),
        recurrence_risk=pl.Series(rng.choice(["low", "medium", "high"], n)),
    )


def _surgeries(people: _People, rng: np.random.Generator) -> pl.DataFrame:
    again = np.flatnonzero(rng.random(people.n) < 0.15)
    first = np.where(rng.random(people.n) < 0.85, "total", "near_total")
    more = rng.choice(["neck_dissection", "completion"], again.size)
    who = np.concatenate([np.arange(people.n), again])
    day = np.concatenate([people.surgery, people.surgery[again] + 5 + again % 10])
    procedure = np.concatenate([first, more])
    kept = _seen(people, who, day)
    return _rows(people, who[kept], day[kept], "S", "surgery_id", "surgery_date").with_columns(
        procedure=pl.Series(procedure[kept])
    )


def _courses(people: _People, rng: np.random.Generator) -> pl.DataFrame:
    """Draw up to five courses and an uptake pattern that plants the category."""
    n = people.n
    wanted = rng.choice(np.arange(1, _MAX_COURSES + 1), n, p=[0.22, 0.33, 0.25, 0.12, 0.08])
    pattern = rng.choice(["never", "lost", "kept", "late"], n, p=[0.28, 0.25, 0.42, 0.05])
    gap = rng.integers(150, 330, n)
    first_activity = np.round(np.clip(rng.normal(6.05, 1.35, n), 0.74, 9.25), 2)
    whos, days, uptakes, activities = [], [], [], []
    seen_up, seen_none = np.zeros(n, bool), np.zeros(n, bool)
    first_up, first_none = np.zeros(n, bool), np.zeros(n, bool)
    courses = np.zeros(n, np.int64)
    for k in range(_MAX_COURSES):
        day = people.index + k * gap
        who = np.flatnonzero(people.treated & (wanted > k))
        who = who[_seen(people, who, day[who])]
        up = _takes_up(pattern, k, wanted)[who]
        label = np.where(up, np.where(rng.random(who.size) < 0.7, "all", "some"), "none")
        if k == 0:
            first_up[who], first_none[who] = up, ~up
        else:
            seen_up[who] |= up
            seen_none[who] |= ~up
        courses[who] += 1
        whos.append(who)
        days.append(day[who])
        uptakes.append(label)
        activities.append(
            first_activity[who] if k == 0 else np.round(rng.uniform(3.7, 7.4, who.size), 2)
        )
    people.truth["activity_gbq"] = first_activity
    people.truth["courses"] = courses
    people.truth["uptake_category"] = np.select(
        [first_none & ~seen_up, first_up & seen_none, first_up & ~seen_none],
        ["primary_nonuptake", "secondary_nonuptake", "uptake"],
        "",
    )
    who = np.concatenate(whos)
    rows = _rows(people, who, np.concatenate(days), "T", "treatment_id", "treatment_date")
    unit = rng.choice(["GBq", "MBq", "mCi"], who.size, p=[0.6, 0.2, 0.2])
    gbq: Any = np.concatenate(activities)
    value = np.select([unit == "GBq", unit == "MBq"], [gbq, gbq * 1000], gbq * 1000 / 37)
    return rows.with_columns(
        activity=pl.Series(np.round(value, 6)),
        activity_unit=pl.Series(unit),
        intent=pl.lit("therapy"),
        lesion_uptake=pl.Series(np.concatenate(uptakes)),
    )


def _takes_up(pattern: Any, course: int, wanted: Ints) -> Bools:
    is_last = course == wanted - 1
    return np.asarray(
        (pattern == "kept")
        | ((pattern == "lost") & ~(is_last & (course > 0)))
        | ((pattern == "late") & (course > 0))
    )


def _labs(people: _People, rng: np.random.Generator) -> pl.DataFrame:
    n = people.n
    stg = np.round(rng.lognormal(5.2, 2.0, n), 1)
    over_range = rng.random(n) < 0.04
    days_before = rng.integers(0, 29, n)
    measured = people.treated & (rng.random(n) < 0.88)
    people.truth["stg_500"] = np.where(
        ~measured | over_range, "", np.where(stg >= 500, "at_or_above", "below")
    )
    at = np.flatnonzero(measured)
    sample = people.index - days_before
    parts = [
        _lab(at, sample[at], "Tg", np.where(over_range, 300.0, stg)[at], "ng/mL", rng),
        _lab(at, sample[at], "TSH", np.round(rng.uniform(31, 140, at.size), 1), "mIU/L", rng),
        _lab(at, sample[at], "TgAb", np.round(rng.lognormal(1.6, 1.3, at.size), 1), "IU/mL", rng),
    ]
    parts[0]["comparator"] = np.where(over_range[at], ">", "=")
    parts[0]["stimulated"] = np.where(rng.random(at.size) < 0.7, "yes", "unknown")
    for year in range(2):
        later = np.flatnonzero(people.treated & (rng.random(n) < 0.8))
        day = people.index[later] + 180 + year * 365 + rng.integers(0, 60, later.size)
        kept = _seen(people, later, day)
        later, day = later[kept], day[kept]
        value = np.round(stg[later] * rng.lognormal(-0.5, 0.7, later.size), 2)
        parts.append(_lab(later, day, "Tg", value, "ug/L", rng))
        parts[-1]["stimulated"] = rng.choice(["yes", "no"], later.size)
    who = np.concatenate([part["who"] for part in parts])
    day = np.concatenate([part["day"] for part in parts])
    columns = ("analyte", "comparator", "value", "unit", "stimulated")
    return _rows(people, who, day, "L", "lab_id", "sample_date").with_columns(
        **{c: pl.Series(np.concatenate([part[c] for part in parts])) for c in columns}
    )


def _lab(
    who: Ints, day: Ints, analyte: str, value: Any, unit: str, rng: np.random.Generator
) -> dict[str, Any]:
    same = {"analyte": analyte, "comparator": "=", "unit": unit, "stimulated": "unknown"}
    return {"who": who, "day": day, "value": value} | {
        name: np.full(who.size, text) for name, text in same.items()
    }


def _imaging(people: _People, rng: np.random.Generator) -> pl.DataFrame:
    n, end = people.n, _day(END)
    has_pet = people.treated & people.mets & (rng.random(n) < 0.75)
    offset = np.where(rng.random(n) < 0.85, rng.integers(-7, 8, n), rng.integers(-60, -8, n))
    suv = np.round(
        np.where(rng.random(n) < 0.43, rng.gamma(4, 2.2, n) + 2.5, 2.4 * rng.random(n)), 1
    )
    in_window = (np.abs(offset) <= 7) & (people.index + offset <= end)
    people.truth["fdg_uptake"] = np.where(
        has_pet & in_window, np.where(suv >= 2.5, "positive", "negative"), ""
    )
    has_ct = people.treated & people.lung & ~people.lung_late & (rng.random(n) < 0.9)
    ct_offset = rng.integers(-80, 1, n)
    nodule = np.round(np.clip(rng.lognormal(np.log(0.8), 0.65, n), 0.2, 6), 1)
    people.truth["nodule_cm"] = np.where(has_ct, nodule, np.nan)
    at = [np.flatnonzero(has_pet), np.flatnonzero(has_ct)]
    at += [np.flatnonzero(people.treated & (rng.random(n) < 0.6)) for _ in range(2)]
    day = [
        (people.index + offset)[at[0]],
        (people.index + ct_offset)[at[1]],
        people.index[at[2]] + rng.integers(200, 420, at[2].size),
        people.index[at[3]] + rng.integers(500, 900, at[3].size),
    ]
    blank = [np.full(a.size, np.nan) for a in at]
    suv_max = np.concatenate([suv[at[0]], *blank[1:]])
    size = np.concatenate([blank[0], nodule[at[1]], *blank[2:]])
    in_mm = rng.random(size.size) < 0.5
    empty = np.isnan(size)
    who, when = np.concatenate(at), np.concatenate(day)
    modality = np.repeat(["FDG_PETCT", "CT", "CT", "US"], [a.size for a in at])
    recist = rng.choice(["CR", "PR", "SD", "PD", "NE"], who.size, p=[0.1, 0.3, 0.4, 0.12, 0.08])
    is_follow_up = np.repeat([False, False, True, False], [a.size for a in at])
    kept = _seen(people, who, when)
    value = np.where(in_mm, np.round(size * 10, 1), size)
    reading = np.where(suv_max >= 2.5, "yes", "no")
    return _rows(people, who[kept], when[kept], "I", "study_id", "study_date").with_columns(
        modality=pl.Series(modality[kept]),
        suv_max=pl.Series(suv_max[kept]).fill_nan(None),
        fdg_positive=_blank(reading[kept], np.isnan(suv_max[kept])),
        largest_lung_nodule=pl.Series(value[kept]).fill_nan(None),
        largest_lung_nodule_unit=_blank(np.where(in_mm, "mm", "cm")[kept], empty[kept]),
        recist=_blank(recist[kept], ~is_follow_up[kept]),
    )


def _metastases(people: _People, rng: np.random.Generator) -> pl.DataFrame:
    n, end = people.n, _day(END)
    others = {"lymph_node": 0.6, "bone": 0.1, "liver": 0.02, "pleura": 0.02, "brain": 0.02}
    drawn = {site: people.mets & (rng.random(n) < share) for site, share in others.items()}
    drawn["lymph_node"] |= people.mets & ~people.lung & ~np.any(list(drawn.values()), axis=0)
    drawn["lung"] = people.lung
    parts = []
    for site, has in drawn.items():
        who = np.flatnonzero(has)
        day = people.surgery[who] + rng.integers(-10, 15, who.size)
        if site == "lung":
            late = people.index[who] + 230 + rng.integers(0, 400, who.size)
            day = np.where(people.lung_late[who], late, day)
        parts.append((who, np.maximum(day, people.diagnosis[who]), site))
    site_count = sum(
        (has & ~(people.lung_late if site == "lung" else False)).astype(int)
        for site, has in drawn.items()
    )
    known = people.treated & (site_count > 0)
    people.truth["site_count"] = np.where(known, np.where(site_count > 1, "multi", "single"), "")
    beyond = np.any([drawn[site] for site in ("bone", "liver", "pleura", "brain")], axis=0)
    in_time = people.treated & people.lung & ~people.lung_late
    people.truth["extent"] = np.where(in_time, np.where(beyond, "lung_and_other", "lung"), "")
    who = np.concatenate([w for w, _, _ in parts])
    day = np.minimum(np.concatenate([d for _, d, _ in parts]), 10**6)
    sites = np.concatenate([np.full(w.size, s) for w, _, s in parts])
    kept = _seen(people, who, day) & (day <= end)
    return _rows(people, who[kept], day[kept], "M", "metastasis_id", "detected_date").with_columns(
        site=pl.Series(sites[kept]), basis=pl.lit("imaging")
    )


def _events(people: _People, rng: np.random.Generator) -> pl.DataFrame:
    n = people.n
    gap = people.index - people.surgery
    recurred = people.treated & (gap > 3) & (rng.random(n) < 0.2)
    people.truth["recurrence"] = np.where(people.treated, np.where(recurred, "yes", "no"), "")
    progressed = people.treated & (rng.random(n) < 0.25)
    at = [np.flatnonzero(recurred), np.flatnonzero(progressed)]
    between = people.surgery[at[0]] + 1 + (rng.random(at[0].size) * (gap[at[0]] - 2)).astype(int)
    day = [between, people.index[at[1]] + rng.integers(60, 2000, at[1].size)]
    who, when = np.concatenate(at), np.concatenate(day)
    kind = np.repeat(["recurrence", "progression"], [a.size for a in at])
    kept = _seen(people, who, when)
    return _rows(people, who[kept], when[kept], "E", "event_id", "event_date").with_columns(
        type=pl.Series(kind[kept]), basis=pl.lit("structural")
    )


def _truth(people: _People) -> pl.DataFrame:
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
            "index_date": _blank(index, ~treated),
            "courses": planted["courses"],
            "activity_mci": _blank(mci, ~treated),
            "nodule_cm": pl.Series(planted["nodule_cm"]).fill_nan(None),
            **{name: _blank(planted[name], planted[name] == "") for name in text},
        }
    )
