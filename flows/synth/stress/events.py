"""The events of a registry of extremes, each table drawn around what is planted."""

from typing import Any

import numpy as np
import polars as pl

from flows.synth.columns import END, Bools, Ints, blank_where, day_number
from flows.synth.stress.people import People, event_rows, seen_by

_MAX_COURSES = 5


def diagnoses(people: People, rng: np.random.Generator) -> pl.DataFrame:
    """Draw one diagnosis per patient: one row per diagnosis."""
    who = np.arange(people.n)
    n = people.n
    return event_rows(
        people, who, people.diagnosis, "D", "diagnosis_id", "diagnosis_date"
    ).with_columns(
        histology=pl.Series(people.histology),
        t=pl.Series(rng.choice(["1", "2", "3", "4", "X"], n)),
        n=pl.Series(rng.choice(["0", "1", "X"], n)),
        m=pl.Series(np.where(people.mets & (rng.random(n) < 0.5), "1", "0")),
        stage=pl.Series(rng.choice(["I", "II", "III", "IVA", "IVB"], n)),
        tumour_size=pl.Series(np.round(rng.gamma(3, 7, n), 1)),
        tumour_size_unit=pl.lit("mm"),
        extrathyroidal_extension=pl.Series(rng.choice(["no", "pathological", "intraoperative"], n)),
        multifocal=pl.Series(rng.choice(["no", "yes"], n)),
        autoimmune_thyroid_disease=pl.Series(rng.choice(["no", "yes"], n, p=[0.8, 0.2])),
        recurrence_risk=pl.Series(rng.choice(["low", "medium", "high"], n)),
    )


def surgeries(people: People, rng: np.random.Generator) -> pl.DataFrame:
    """Draw the operations, some patients twice: one row per operation."""
    again = np.flatnonzero(rng.random(people.n) < 0.15)
    first = np.where(rng.random(people.n) < 0.85, "total", "near_total")
    more = rng.choice(["neck_dissection", "completion"], again.size)
    who = np.concatenate([np.arange(people.n), again])
    day = np.concatenate([people.surgery, people.surgery[again] + 5 + again % 10])
    procedure = np.concatenate([first, more])
    kept = seen_by(people, who, day)
    return event_rows(people, who[kept], day[kept], "S", "surgery_id", "surgery_date").with_columns(
        procedure=pl.Series(procedure[kept])
    )


def courses(people: People, rng: np.random.Generator) -> pl.DataFrame:
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
        who = who[seen_by(people, who, day[who])]
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
    rows = event_rows(people, who, np.concatenate(days), "T", "treatment_id", "treatment_date")
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


def labs(people: People, rng: np.random.Generator) -> pl.DataFrame:
    """Draw labs around the index date and at follow-up: one row per result."""
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
        kept = seen_by(people, later, day)
        later, day = later[kept], day[kept]
        value = np.round(stg[later] * rng.lognormal(-0.5, 0.7, later.size), 2)
        parts.append(_lab(later, day, "Tg", value, "ug/L", rng))
        parts[-1]["stimulated"] = rng.choice(["yes", "no"], later.size)
    who = np.concatenate([part["who"] for part in parts])
    day = np.concatenate([part["day"] for part in parts])
    columns = ("analyte", "comparator", "value", "unit", "stimulated")
    return event_rows(people, who, day, "L", "lab_id", "sample_date").with_columns(
        **{c: pl.Series(np.concatenate([part[c] for part in parts])) for c in columns}
    )


def _lab(
    who: Ints, day: Ints, analyte: str, value: Any, unit: str, rng: np.random.Generator
) -> dict[str, Any]:
    same = {"analyte": analyte, "comparator": "=", "unit": unit, "stimulated": "unknown"}
    return {"who": who, "day": day, "value": value} | {
        name: np.full(who.size, text) for name, text in same.items()
    }


def imaging(people: People, rng: np.random.Generator) -> pl.DataFrame:
    """Draw PET/CT, CT and follow-up studies: one row per study."""
    n, end = people.n, day_number(END)
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
    kept = seen_by(people, who, when)
    value = np.where(in_mm, np.round(size * 10, 1), size)
    reading = np.where(suv_max >= 2.5, "yes", "no")
    return event_rows(people, who[kept], when[kept], "I", "study_id", "study_date").with_columns(
        modality=pl.Series(modality[kept]),
        suv_max=pl.Series(suv_max[kept]).fill_nan(None),
        fdg_positive=blank_where(reading[kept], np.isnan(suv_max[kept])),
        largest_lung_nodule=pl.Series(value[kept]).fill_nan(None),
        largest_lung_nodule_unit=blank_where(np.where(in_mm, "mm", "cm")[kept], empty[kept]),
        recist=blank_where(recist[kept], ~is_follow_up[kept]),
    )


def metastases(people: People, rng: np.random.Generator) -> pl.DataFrame:
    """Draw the sites of each patient: one row per site found."""
    n, end = people.n, day_number(END)
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
    kept = seen_by(people, who, day) & (day <= end)
    return event_rows(
        people, who[kept], day[kept], "M", "metastasis_id", "detected_date"
    ).with_columns(site=pl.Series(sites[kept]), basis=pl.lit("imaging"), found=pl.lit("yes"))


def events(people: People, rng: np.random.Generator) -> pl.DataFrame:
    """Draw recurrences before and progressions after the index date: one row per event."""
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
    kept = seen_by(people, who, when)
    return event_rows(people, who[kept], when[kept], "E", "event_id", "event_date").with_columns(
        type=pl.Series(kind[kept]), basis=pl.lit("structural"), found=pl.lit("yes")
    )
