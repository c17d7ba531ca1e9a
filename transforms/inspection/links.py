"""How files belong together: columns that share values, the patient's identifier, wide groups."""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import polars as pl

from transforms.inspection.profile import Profile
from transforms.inspection.vocabulary import normalised, vocabulary

_LEAST = 0.2
"""A smaller share of common values is chance."""
_NUMBER = re.compile(r"\d+")
Place = tuple[str, str]
"""A file (or sheet of it) and a column."""


@dataclass(frozen=True)
class Link:
    """Two columns of different files with common values."""

    one: Place
    other: Place
    share_of_one: float
    """The share of the distinct values of `one` that `other` has too."""
    share_of_other: float


@dataclass(frozen=True)
class Group:
    """Columns that repeat with a number: `tg_1, date_1, tg_2, date_2`. Candidates for unpivot."""

    stems: tuple[str, ...]
    """The names with `{n}` for the number."""
    numbers: tuple[str, ...]


def links(values: Mapping[Place, pl.Series]) -> tuple[Link, ...]:
    """Compare the distinct values of columns, hashed, between files; the strongest link first."""
    found = []
    for one, other in combinations(sorted(values), 2):
        if one[0] == other[0] or not values[one].len() or not values[other].len():
            continue
        common = int(values[one].is_in(values[other].implode()).sum())
        shares = common / values[one].len(), common / values[other].len()
        if max(shares) >= _LEAST:
            found.append(Link(one, other, *shares))
    return tuple(sorted(found, key=lambda it: (-max(it.share_of_one, it.share_of_other), it.one)))


def links_columns(one: Profile) -> bool:
    """Tell whether a column may lead to another file."""
    return one.kind == "identifier" or (one.is_key and one.kind in ("text", "number"))


def patient_column(
    file: str, profiles: Sequence[Profile], found: Sequence[Link]
) -> tuple[str, float, str] | None:
    """Return the column of a file that likely identifies patients, how sure, and why."""
    known = {name.text for name in vocabulary().columns[("patients", "patient_id")]}
    certain = {n.text for n in vocabulary().columns[("patients", "patient_id")] if not n.is_general}
    scored = []
    for one in profiles:
        if one.kind not in ("identifier", "number", "text", "code") or not one.filled:
            continue
        name = normalised(one.name)
        shared = {
            (link.other if link.one == (file, one.name) else link.one)[0]
            for link in found
            if (file, one.name) in (link.one, link.other)
        }
        by_name = 0.9 if name in certain else 0.5 if name in known else 0.0
        by_name = max(by_name, 0.75 * any(f" {word} " in f" {name} " for word in certain))
        score = by_name + (0.2 if shared else 0) + 0.04 * (one.share_empty == 0)
        why = ["its name"] * bool(by_name) + [f"other files with its values: {len(shared)}"] * bool(
            shared
        )
        if by_name or (shared and one.kind == "identifier"):
            scored.append((score, -one.distinct, one.name, ", ".join(why)))
    if not scored:
        return None
    score, _, column, reason = max(scored)
    return column, round(min(score, 0.98), 2), reason


def wide_groups(names: Sequence[str]) -> tuple[Group, ...]:
    """Find columns that repeat with a number, those with the same numbers together.

    >>> [(one.stems, one.numbers) for one in wide_groups(["id", "tg_1", "d_1", "tg_2", "d_2"])]
    [(('tg_{n}', 'd_{n}'), ('1', '2'))]
    """
    by_stem: dict[str, list[str]] = defaultdict(list)
    for name in names:
        for at in _NUMBER.finditer(name):
            stem = f"{name[: at.start()]}{{n}}{name[at.end() :]}"
            if len(stem) > len("{n}") and "131" not in at.group():
                by_stem[stem].append(at.group())
    taken: set[str] = set()
    by_numbers: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for stem, numbers in sorted(by_stem.items(), key=lambda one: -len(one[1])):
        columns = {stem.replace("{n}", number) for number in numbers}
        if len(numbers) > 1 and not columns & taken:
            taken |= columns
            by_numbers[tuple(sorted(numbers, key=int))].append(stem)
    order = {name: at for at, name in enumerate(names)}
    return tuple(
        Group(tuple(sorted(stems, key=lambda s: order[s.replace("{n}", numbers[0])])), numbers)
        for numbers, stems in by_numbers.items()
    )
