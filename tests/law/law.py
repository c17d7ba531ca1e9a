# ruff: noqa: S311 - randomness is only for damage
"""The law, tried: damage patients in every way and compare what is published of them.

Each damage is done to a copy of the patient under a name of its own, so that thousands are read,
derived and scored at once; a loss is taken from everybody, one at a time.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from random import Random

import polars as pl

from tests.law.answers import When, answers, differences, gathered
from tests.law.damage import Damage, Loss, damaged, damages, losses, lost, said
from tests.law.people import person
from tests.registry import AS_OF, Rows, days
from transforms.reading.coverage import Coverage

_COPY = "~"
_PARTLY: tuple[dict[str, object], ...] = (
    {},
    {},
    {},
    {"metastases": {"status": "partial", "until": "diagnosis"}},
    {"metastases.site.lung": "not_collected"},
    {"events.type.progression": "not_collected"},
    {"events": "partial"},
    {"imaging.recist": "not_collected"},
    {"labs.analyte.TSH": "not_collected"},
    {"surgeries": "partial"},
    {"i131_treatments": {"status": "partial", "until": "index"}},
    {"patients.death_date": "not_collected"},
)


@dataclass
class Tried:
    """What was tried, and what of it broke the law."""

    damages: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    broken: list[str] = field(default_factory=list)

    @property
    def number(self) -> int:
        return self.damages.total()

    def note(self, found: pl.DataFrame, ways: dict[str, Damage | Loss]) -> None:
        """Remember what changed, in words: which damage did what to which answer."""
        for name, _, answer, old, new in found.iter_rows():
            self.broken.append(f"{ways[name]}: {answer} was {old}, is {new}")


def people(chance: Random, number: int) -> dict[str, Rows]:
    """Draw patients."""
    return {name: person(chance, name) for name in (f"P{i:04d}" for i in range(number))}


def some_night(chance: Random) -> When:
    """Draw a night: of the export's last day or an earlier one, of a registry with gaps."""
    as_of = chance.choice((AS_OF, AS_OF, days(300), days(366)))
    coverage = Coverage.model_validate(chance.choice(_PARTLY))
    return When(as_of=as_of, extracted_on=AS_OF, coverage=coverage)


def try_cells_and_rows(
    patients: dict[str, Rows], when: When, tried: Tried, most: int, chance: Random
) -> None:
    """Damage cells and rows of each patient, one at a time: every way, or `most` of them."""
    every = [(name, damage) for name, rows in patients.items() for damage in damages(rows)]
    chosen = chance.sample(every, min(most, len(every)))
    copies = {f"{name}{_COPY}{i}": (name, damage) for i, (name, damage) in enumerate(chosen)}
    changed = ((copy, damaged(patients[name], way)) for copy, (name, way) in copies.items())
    found = answers(gathered([*patients.items(), *changed]), when)
    is_copy = pl.col("patient_id").str.contains(_COPY, literal=True)
    after = found.filter(is_copy).with_columns(
        base=pl.col("patient_id").str.replace(f"{_COPY}.*", "")
    )
    tried.damages.update(way.what for _, way in chosen)
    ways: dict[str, Damage | Loss] = {copy: way for copy, (_, way) in copies.items()}
    tried.note(differences(found.filter(~is_copy), after), ways)


def try_losses(patients: dict[str, Rows], when: When, tried: Tried, chosen: Iterable[Loss]) -> None:
    """Take a table, a column or a kind of rows from everybody, one at a time."""
    together = gathered(patients.items())
    before = answers(together, when)
    for loss in chosen:
        coverage = Coverage(when.coverage.root | Coverage.model_validate(said(loss)).root)
        after = answers(lost(together, loss), replace(when, coverage=coverage))
        tried.damages[loss.what] += len(patients)
        found = differences(before, after.with_columns(base="patient_id"))
        tried.note(found, dict.fromkeys(patients, loss))


def every_kind() -> set[tuple[str, str, str]]:
    """Return each table, column and kind that cells and rows can be damaged in."""
    found = {damage.what for rows in people(Random(0), 200).values() for damage in damages(rows)}
    return found


def run_long(number: int, seed: int = 0) -> Tried:
    """Try so many damages, half of them to patients who are damaged already, then every loss."""
    tried, chance = Tried(), Random(seed)
    while tried.number < number:
        when = some_night(chance)
        patients = people(chance, 40)
        try_cells_and_rows(patients, when, tried, 4000, chance)
    try_losses(people(chance, 60), When(), tried, losses())
    return tried
