"""What came after an RR-DTC criterion was met: imaging within a year, and further 131I."""

from datetime import date

import polars as pl
import pytest

from tests.registry import AS_OF, COLLECTED, Registry, days
from transforms.measures.after_rrdtc import with_what_came_after

MET = days(100)


def after(
    registry: Registry, died: date | None = None, as_of: date = AS_OF, *, collected: bool = True
) -> tuple[bool | None, bool | None]:
    """Return imaging within the year, and 131I after, of one patient who met a criterion."""
    patients = pl.DataFrame(
        {
            "patient_no": pl.Series([0], dtype=pl.UInt32),
            "rrdtc_met_date": [MET],
            "died": [died is not None],
            "death_date": pl.Series([died], dtype=pl.Date),
        }
    )
    coverage = (
        COLLECTED.coverage
        if collected
        else COLLECTED.coverage.model_validate(
            COLLECTED.coverage.root | {"imaging": {"status": "not_collected"}}
        )
    )
    found = with_what_came_after(patients, registry.record(as_of, coverage=coverage))
    return found.select("imaging_after_rrdtc", "i131_after_rrdtc").row(0)


@pytest.fixture
def registry() -> Registry:
    return Registry().usual("A")


def test_a_ct_within_the_year_counts_on_its_last_day_and_not_on_the_day_itself(
    registry: Registry,
) -> None:
    registry.ct("A", MET)
    assert after(registry)[0] is False
    registry.ct("A", days(100 + 366))
    assert after(registry)[0] is False
    registry.ct("A", days(100 + 365))
    assert after(registry)[0] is True


def test_ultrasound_is_no_imaging_of_the_disease(registry: Registry) -> None:
    registry.add("imaging", "A", study_date=days(120), modality="US")
    assert after(registry)[0] is False


def test_no_imaging_is_said_only_when_the_year_is_over_and_lived(registry: Registry) -> None:
    assert after(registry, as_of=days(100 + 364))[0] is None
    assert after(registry, as_of=days(100 + 365))[0] is False
    assert after(registry, died=days(300))[0] is None
    assert after(registry, died=days(600))[0] is False
    assert after(registry, collected=False)[0] is None


def test_a_course_after_the_day_counts_and_one_on_it_does_not(registry: Registry) -> None:
    registry.treated("A", MET)
    assert after(registry)[1] is False
    registry.treated("A", days(101))
    assert after(registry)[1] is True


def test_a_course_of_an_unknown_day_may_be_after(registry: Registry) -> None:
    registry.add(
        "i131_treatments", "A", treatment_date=str(MET.year), activity=5, activity_unit="GBq"
    )
    assert after(registry)[1] is None


@pytest.mark.parametrize("modality", ["CT", "MRI", "FDG_PETCT"])
def test_each_of_these_is_imaging_of_the_disease_on_a_whole_day(
    registry: Registry, modality: str
) -> None:
    registry.add("imaging", "A", study_date=str(days(120))[:7], modality=modality)
    assert after(registry)[0] is False
    registry.add("imaging", "A", study_date=days(101), modality=modality)
    assert after(registry)[0] is True


def test_who_died_on_the_last_day_of_the_year_did_not_outlive_it(registry: Registry) -> None:
    assert after(registry, died=days(100 + 365))[0] is None
    assert after(registry, died=days(100 + 366))[0] is False
