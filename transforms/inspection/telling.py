"""What may be told of a code list: words of medicine, and what enough patients have."""

from collections.abc import Sequence
from dataclasses import replace

import polars as pl

from transforms.inspection.kinds import is_known, names_patient
from transforms.inspection.profile import Counted, Profile

_SHORT = 3
"""Where nobody knows whose records are whose, a value with more characters is not told."""


def with_codes(one: Profile, people: pl.DataFrame | None, smallest: int) -> Profile:
    """Return a profile that tells its codes.

    `people` has, for each value, how many patients have it (value, people). A value is told when
    at least `smallest` have it, or when it is a known word; the count of a rarer one is not.
    Without patients in the file (None) records count instead, and only short values are told.
    """
    if not one.values.height:
        return one
    counted = one.values if people is None else one.values.join(people, on="value", how="left")
    who = pl.col("n" if people is None else "people").fill_null(0)
    is_short = pl.col("value").str.len_chars() <= _SHORT
    may = pl.lit(True) if people is not None else is_short
    rows = counted.with_columns(enough=who >= smallest, may=may)
    rows = rows.sort(["n", "value"], descending=[True, False])
    told = [
        Counted(value, n if enough else None)
        for value, n, enough, may_be in rows.select("value", "n", "enough", "may").iter_rows()
        if (enough and may_be) or is_known(value)
    ]
    return replace(one, codes=tuple(told), hidden=rows.height - len(told))


def who_is_who(profiles: Sequence[Profile]) -> tuple[str, ...]:
    """Return the columns that tell patients apart, the coarsest first.

    A column in which each record has its own tells only then patients apart when it is called so.
    """
    found = [
        one
        for one in profiles
        if one.kind in ("identifier", "personal")
        and one.distinct > 1
        and (not one.is_key or names_patient(one.name))
    ]
    return tuple(one.name for one in sorted(found, key=lambda one: one.distinct)[:3])
