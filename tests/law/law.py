"""The law, tried: damage patients in every way and compare what is published of them."""

from collections import Counter
from dataclasses import dataclass, field, replace
from random import Random

import polars as pl

from tests.law.answers import When, answers, differences, gathered
from tests.law.damage import Damage, Loss, damaged, damages, lost, said
from tests.law.people import person
from tests.registry import Rows
from transforms.reading.coverage import Coverage


@dataclass
class Tried:
    """What was tried, and what of it broke the law."""

    damages: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    broken: list[pl.DataFrame] = field(default_factory=list)
    examples: dict[str, tuple[Rows, Damage]] = field(default_factory=dict)


def people(chance: Random, number: int) -> dict[str, Rows]:
    """Draw patients."""
    return {f"P{i:04d}": person(chance, f"P{i:04d}") for i in range(number)}


def try_cells_and_rows(
    patients: dict[str, Rows], when: When, tried: Tried, most: int | None, chance: Random
) -> None:
    """Damage one cell or row of each patient in every way (or `most` of them, drawn)."""
    ways = [(name, damage) for name, rows in patients.items() for damage in damages(rows)]
    if most is not None and len(ways) > most:
        ways = chance.sample(ways, most)
    copies = {f"{name}~{i}": (name, damage) for i, (name, damage) in enumerate(ways)}
    parts = [*patients.items()]
    parts += [(copy, damaged(patients[name], d)) for copy, (name, d) in copies.items()]
    found = answers(gathered(parts), when)
    base = found.filter(~pl.col("patient_id").str.contains("~"))
    after = found.filter(pl.col("patient_id").str.contains("~")).with_columns(
        base=pl.col("patient_id").str.replace("~.*", "")
    )
    assert after.height == len(copies)
    tried.damages.update(damage.what for _, damage in ways)
    bad = differences(base, after)
    if bad.height:
        tried.broken.append(bad)
        for copy, answer in bad.select("patient_id", "answer").unique("answer").iter_rows():
            name, damage = copies[copy]
            tried.examples.setdefault(answer, (patients[name], damage))


def try_losses(patients: dict[str, Rows], when: When, tried: Tried, chosen: list[Loss]) -> None:
    """Take a table, a column or a kind of rows from everybody."""
    together = gathered(patients.items())
    base = answers(together, when)
    for loss in chosen:
        coverage = Coverage(when.coverage.root | Coverage.model_validate(said(loss)).root)
        after = answers(lost(together, loss), replace(when, coverage=coverage))
        tried.damages[loss.what] += len(patients)
        bad = differences(base, after.with_columns(base="patient_id"))
        if bad.height:
            tried.broken.append(bad)
            for name, answer in bad.select("patient_id", "answer").unique("answer").iter_rows():
                tried.examples.setdefault(f"{answer} {loss}", (patients[name], loss))
