"""What was known of each patient on a day of their own is what a night of that day knew."""

from datetime import date
from typing import Any

import polars as pl
import pytest

from tests.registry import AS_OF, NOTHING_ASIDE, Registry, aside, days
from transforms.variables.as_of import known_as_of, known_on
from transforms.variables.evidence import Record
from transforms.variables.features import features
from transforms.variables.windows import Windows


def course_by_course(patient: str, registry: Registry, **cells: Any) -> Registry:
    """Add a patient of whom something is new after every course."""
    registry.usual(patient, **cells).metastasis(patient, "lung").ct(patient).stg(patient, 600)
    registry.treated(patient, days(200), "none").metastasis(patient, "bone", days(210))
    registry.treated(patient, days(420), "some").event(patient, "progression", days(430))
    return registry.pet(patient, days(500), suv_max=9.0)


def on(record: Record, **day: date) -> Record:
    """Return what was known of patients, in order of their names, each on their own day."""
    of = pl.LazyFrame(
        {"patient_no": list(range(len(day))), "day": [day[name] for name in sorted(day)]},
        schema={"patient_no": pl.UInt32, "day": pl.Date},
    )
    return known_on(record, of)


def variables(record: Record) -> pl.DataFrame:
    return features(record, NOTHING_ASIDE, Windows()).drop("as_of")


@pytest.mark.parametrize("n", [-55, -1, 0, 7, 199, 200, 211, 425, 430, 501])
def test_a_patient_on_a_day_is_as_in_the_night_of_that_day(n: int) -> None:
    died = {"death_date": days(900), "last_contact_date": days(900)}
    registry = course_by_course("B", course_by_course("A", Registry(), **died))
    then = variables(registry.record(days(n), extracted_on=AS_OF))
    now = variables(on(registry.record(), A=days(n), B=days(n)))
    assert now.to_dicts() == then.to_dicts()


def test_each_patient_has_a_day_of_their_own() -> None:
    registry = course_by_course("B", course_by_course("A", Registry()))
    made = variables(on(registry.record(), A=days(100), B=days(300)))
    assert made["uptake_category"].to_list() == ["uptake", "secondary_nonuptake"]


def test_who_is_not_asked_about_is_not_there() -> None:
    registry = course_by_course("B", course_by_course("A", Registry()))
    assert variables(on(registry.record(), A=days(100))).height == 1


def test_a_row_that_may_be_of_a_later_day_leaves_doubt() -> None:
    registry = course_by_course("A", Registry()).add(
        "i131_treatments", "A", treatment_date="2020-07", activity=5.55, activity_unit="GBq",
        lesion_uptake="none",
    )  # fmt: skip
    known, in_doubt = [], []
    for day in (date(2020, 6, 30), date(2020, 7, 15), date(2020, 7, 31)):
        then = on(registry.record(), A=day)
        known.append(then.tables["i131_treatments"].collect().height)
        in_doubt.append(then.hidden.collect()["latest"].to_list())
    assert known == [1, 1, 2]
    assert in_doubt == [[], [date(2020, 7, 15)], []]


@pytest.mark.parametrize(("day", "courses"), [(days(150), 1), (days(170), None)])
def test_a_row_that_was_set_aside_is_in_doubt_from_its_day(day: date, courses: int | None) -> None:
    tables, _ = course_by_course("A", Registry()).read()
    lazy = {name: rows.lazy() for name, rows in tables.items()}
    record = known_as_of(lazy, aside("i131_treatments", days(160)), AS_OF)
    assert variables(on(record, A=day))["courses"].item() == courses


def test_a_death_after_the_day_is_not_known_on_it() -> None:
    died = {"death_date": days(900), "last_contact_date": days(900)}
    record = course_by_course("A", Registry(), **died).record()
    row = on(record, A=days(200)).tables["patients"].collect().row(0, named=True)
    assert (row["died"], row["death_date"]) == (False, None)
    assert row["last_contact_date"] == days(200)
