"""Patients to damage: rows near the edges of every window, drawn from one source of chance.

The source is a `random.Random`, or hypothesis's, which then shrinks what it found.
"""

from datetime import timedelta
from random import Random
from typing import Any

from schemas import codes
from schemas.registry import TABLES
from tests.registry import AS_OF, Registry, Rows, days

_UNTREATED, _DUPLICATE = 0.12, 0.25
_FIRST_COURSES = (0, 0, 0, 0, 1, 7)
_LATER_COURSES = (30, 183, 200, 365, 366, 400, 731)
_ACTIVITIES: tuple[tuple[Any, str], ...] = (
    (1.11, "GBq"),
    (5.55, "GBq"),
    (5550, "MBq"),
    (150, "mCi"),
    (200, "mCi"),
    (250, "mCi"),
    (300, "mCi"),
    (300.5, "mCi"),
    (450, "mCi"),
    (600, "mCi"),
)
_FOUND = ("yes", "yes", "yes", "no")
_AROUND_ACTIVITY = (-91, -90, -31, -30, -8, -7, -1, 0, 1, 7, 8, 30, 31)


def person(chance: Random, name: str) -> Rows:
    """Return the rows of one patient, consistent with each other."""
    registry = Registry()
    edge = chance.choice((48, 55, 30, 17, 18, 70))
    on = days(chance.choice((-90, 0)))
    birth = on.replace(year=on.year - edge) + timedelta(days=chance.choice((-1, 0, 1, 40)))
    died = chance.random() < 0.25
    death = days(chance.choice((367, 500, 900))) if died else None
    contact = chance.choice((death, days(366), None)) if died else chance.choice((AS_OF, days(800)))
    registry.patient(
        name,
        sex=chance.choice(codes.SEX),
        birth_date=birth,
        death_date=death,
        death_cause=chance.choice((*codes.DEATH_CAUSE, None)) if died else None,
        last_contact_date=contact,
        centre=chance.choice(("north", "south")),
    )
    for part in (_diagnoses, _surgeries, _courses, _labs, _imaging, _metastases, _events):
        part(chance, registry, name)
    for table, rows in registry.rows.items():
        when = TABLES[table].date
        if when and death:
            rows[:] = [row for row in rows if row[when] <= death]
    return registry.rows


def _some(chance: Random, *numbers: int) -> range:
    return range(chance.choice(numbers))


def _diagnoses(chance: Random, registry: Registry, name: str) -> None:
    histology = ("PTC", "PTC", "PTC", "FTC", "PDTC", "OCA", "mixed", "ATC", "MTC", "other")
    m = ("M0", "M0", "pM1", "M1", "cM0", "MX", None)
    for _ in _some(chance, 0, 1, 1, 1, 1, 1, 1, 1, 2):
        registry.diagnosed(name, days(-90), histology=chance.choice(histology), m=chance.choice(m))
    if registry.rows["diagnoses"] and chance.random() < 0.2:
        registry.diagnosed(
            name,
            days(chance.choice((-90, -89, 0, 100))),
            histology=chance.choice(histology),
            m=chance.choice(m),
            t="T1",
            tumour_size=20,
            tumour_size_unit="mm",
        )


def _surgeries(chance: Random, registry: Registry, name: str) -> None:
    for _ in _some(chance, 0, 1, 1, 1, 1, 2, 3):
        registry.operated(
            name,
            days(chance.choice((-60, -60, -59, -30, -1, 0, 1, 30))),
            chance.choice(("total", "total", "lobectomy", "neck_dissection", "other")),
        )


def _courses(chance: Random, registry: Registry, name: str) -> None:
    if chance.random() < _UNTREATED:
        return
    number = chance.choice((1, 1, 1, 2, 2, 3, 4))
    later = (chance.choice(_LATER_COURSES) for _ in range(number - 1))
    for day in (chance.choice(_FIRST_COURSES), *later):
        for _ in range(2 if chance.random() < _DUPLICATE else 1):
            activity, unit = chance.choice(_ACTIVITIES)
            registry.treated(
                name,
                days(day),
                chance.choice(("all", "some", "none", "none", "not_assessed")),
                activity=activity,
                activity_unit=unit,
                intent="ablation",
            )


def _labs(chance: Random, registry: Registry, name: str) -> None:
    for _ in _some(chance, 0, 1, 2, 3):
        day = days(chance.choice((-31, -30, -3, -2, -1, 0, 1, 200, 300)))
        value, unit = chance.choice(
            (
                (0.1, "ng/mL"),
                (300, "ug/L"),
                (499, "ng/mL"),
                (500, "ng/mL"),
                (900, "pmol/L"),
                (2000, "ng/mL"),
                (None, None),
            )
        )
        registry.lab(
            name,
            "Tg",
            value,
            unit,
            on=day,
            comparator=chance.choice(("=", "=", "=", "<", ">", "<=", ">=")),
            stimulated=chance.choice(codes.STIMULATED),
        )
        for analyte, values, its_unit in (
            ("TSH", (5, 29.9, 30, 100), "mIU/L"),
            ("TgAb", (1, 39, 40, 400), "IU/mL"),
        ):
            if chance.random() < 0.4:
                registry.lab(
                    name,
                    analyte,
                    chance.choice(values),
                    its_unit,
                    on=day,
                    comparator=chance.choice(("=", "=", "<", ">")),
                )


def _imaging(chance: Random, registry: Registry, name: str) -> None:
    for _ in _some(chance, 0, 1, 1, 2, 3):
        registry.pet(
            name,
            days(chance.choice((-8, -7, -1, 0, 1, 7, 8))),
            suv_max=chance.choice((1, 2.4, 2.5, 10, None)),
            fdg_positive=chance.choice(("yes", "no", None)),
        )
    for _ in _some(chance, 0, 1, 1, 2, 3):
        size, unit = chance.choice(((0.8, "cm"), (12, "mm"), (0, "mm"), (3, "cm"), (None, None)))
        registry.add(
            "imaging",
            name,
            study_date=days(chance.choice((*_AROUND_ACTIVITY, 99, 200, 364, 365, 366, 400))),
            modality=chance.choice(("CT", "CT", "CT", "MRI", "US")),
            largest_lung_nodule=size,
            largest_lung_nodule_unit=unit,
            recist=chance.choice((*codes.RECIST, None, None)),
        )


def _metastases(chance: Random, registry: Registry, name: str) -> None:
    sites = (*codes.SITE, "lung", "lung", "lung", "lymph_node", "bone")
    for _ in _some(chance, 0, 1, 1, 1, 2, 3, 4):
        registry.add(
            "metastases",
            name,
            detected_date=days(chance.choice((-50, -50, -1, 0, 6, 7, 8, 170, 182, 183, 184, 400))),
            site=chance.choice(sites),
            basis="CT",
            found=chance.choice(_FOUND),
        )
    rows = registry.rows["metastases"]
    if any(row["found"] == "yes" for row in rows):  # "nowhere" would contradict it
        rows[:] = [r for r in rows if r["found"] == "yes" or r["site"] != "unspecified"]


def _events(chance: Random, registry: Registry, name: str) -> None:
    for _ in _some(chance, 0, 0, 1, 1, 2, 3):
        registry.add(
            "events",
            name,
            event_date=days(
                chance.choice((-61, -60, -59, -30, -1, 0, 1, 7, 200, 364, 365, 366, 367, 500, 731))
            ),
            type=chance.choice(codes.EVENT),
            basis="CT",
            found=chance.choice(_FOUND),
        )
