"""What may be told of a code list: words of medicine, and what enough patients have."""

from collections.abc import Sequence
from dataclasses import replace

import polars as pl

from transforms.inspection.kinds import is_known
from transforms.inspection.profile import Counted, Profile


def with_codes(one: Profile, people: pl.DataFrame | None, smallest: int) -> Profile:
    """Return a profile that tells its codes.

    `people` has, for each value, how many patients have it (value, people); without patients in
    the file, records count instead. A value is told when at least `smallest` have it, or when it
    is a known word; the count of a rarer one is not.
    """
    if not one.values.height:
        return one
    counted = one.values if people is None else one.values.join(people, on="value", how="left")
    who = pl.col("n" if people is None else "people").fill_null(0)
    rows = counted.with_columns(enough=who >= smallest)
    rows = rows.sort(["n", "value"], descending=[True, False])
    told = [
        Counted(value, n if enough else None)
        for value, n, enough in rows.select("value", "n", "enough").iter_rows()
        if enough or is_known(value)
    ]
    return replace(one, codes=tuple(told), hidden=rows.height - len(told))


def who_is_who(profiles: Sequence[Profile]) -> tuple[str, ...]:
    """Return the columns that tell patients apart, or at least come nearest to it."""
    found = [one for one in profiles if one.kind in ("identifier", "personal") and one.distinct > 1]
    return tuple(one.name for one in sorted(found, key=lambda one: one.distinct)[:3])
