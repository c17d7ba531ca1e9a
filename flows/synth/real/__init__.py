"""A registry as it is: shares, odds, hazards and delays as published, or as they are in life.

Every row has the day on which the export has it, so that the export of any date can be made.
"""

from dataclasses import dataclass

import numpy as np
import polars as pl

from flows.synth.columns import blank_where, dates
from flows.synth.real.illness import Illness, draw_illness, os_predictors
from flows.synth.real.laboratory import labs
from flows.synth.real.people import People, draw_people, liu_predictors
from flows.synth.real.records import courses, diagnoses, events, imaging, metastases, surgeries
from flows.synth.real.rows import patient_rows


@dataclass
class Drawn:
    """Tables whose rows say when they are known, and the truth: one row per patient."""

    tables: dict[str, pl.DataFrame]
    truth: pl.DataFrame


def draw_registry(patients: int, seed: int) -> Drawn:
    """Draw a registry of so many patients; the same number and seed give the same one."""
    people_rng, illness_rng, *streams = (
        np.random.default_rng([seed, stream]) for stream in range(10)
    )
    people = draw_people(patients, people_rng)
    illness = draw_illness(people, illness_rng)
    builders = {
        "patients": patient_rows,
        "diagnoses": diagnoses,
        "surgeries": surgeries,
        "i131_treatments": courses,
        "labs": labs,
        "imaging": imaging,
        "metastases": metastases,
        "events": events,
    }
    tables = {
        name: build(people, illness, rng)
        for (name, build), rng in zip(builders.items(), streams, strict=True)
    }
    return Drawn(tables, truth_of(people, illness))


def truth_of(people: People, illness: Illness) -> pl.DataFrame:
    """Return what was planted: one row per patient. Outcomes are fates: they may lie ahead."""
    os = os_predictors(people, illness.course_gbq[:, 0], illness.stg, illness.nodule)
    return pl.DataFrame(
        {
            "patient_id": people.pid,
            "histology": people.histology,
            "index_date": blank_where(dates(people.index), ~people.treated),
            "distant": people.distant,
            "nodal": people.nodal,
            "lung_in_time": people.lung,
            "lesions_left": people.lesions_left,
            **liu_predictors(people),
            "rrdtc_criterion": blank_where(people.rrdtc, people.rrdtc == 0),
            **os,
            "os_linear_predictor": pl.Series(illness.os_linear_predictor).fill_nan(None),
            "died": illness.dead,
            "watched_days": illness.leaves - people.index,
        }
    )
