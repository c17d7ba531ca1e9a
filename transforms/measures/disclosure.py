"""Small numbers: counts that could point at a patient are left out of what is shown.

A count from 1 to `smallest` - 1 is left out, and so is its complement; of measures that say
nothing of a patient's health (completeness), only groups that are as small themselves.

What is left out must not follow from what is shown. Rows add up: months to quarters, quarters to
years, years and centres to the recent years. Below a total that is shown, the parts that are left
out are two or more, and so many together that every small count among them could be any number
from 0 to `smallest` - 1: more parts are left out until that holds, the smallest first, and where
none is left, the total. A period that is left out takes its months with it. Then patients can
be thought to have come in another of the hidden parts, and nothing that is shown would differ; this
needs no rounding. What is shown is rounded besides, shares with it.
"""

import polars as pl

_COUNTS = ("numerator", "denominator", "unknown", "value")
_NO_START = ""


def is_small(count: pl.Expr, smallest: int) -> pl.Expr:
    """Tell whether a count could point at a patient."""
    return (count > 0) & (count < smallest)


def suppressed(measured: pl.DataFrame, smallest: int) -> pl.DataFrame:
    """Leave counts out of measures that are small, or give small ones away; say so in `suppressed`.

    One row per row. Rows are told apart by measure, period, start and centre (null: all centres);
    `sensitive` says whether the answers themselves are.
    """
    count, denominator = pl.col("numerator"), pl.col("denominator")
    few_answers = is_small(count, smallest) | is_small(denominator - count, smallest)
    small = is_small(denominator, smallest) | (pl.col("sensitive") & few_answers.fill_null(False))
    rows = _placed(measured.sort("measure", "period", "start", "centre"))
    rows = rows.with_columns(suppressed=small)
    while not (more := _more(rows, smallest)).equals(rows):
        rows = more
    return rows.drop("node", "parent", "family", "leaves").with_columns(
        pl.when(~pl.col("suppressed")).then(pl.col(name)).alias(name) for name in _COUNTS
    )


def _placed(measured: pl.DataFrame) -> pl.DataFrame:
    """Add to each row its name (`node`), the row it is a part of (`parent`), and its `family`."""
    start, centre = pl.col("start").cast(pl.Date), pl.col("centre")
    everybody = centre.is_null()
    recent = start.filter((pl.col("period") == "recent") & everybody).first().over("measure")
    longer = {"month": ("quarter", "1q"), "quarter": ("year", "1y")}
    of_period = [
        pl.when(pl.col("period") == period).then(_node(pl.lit(up), start.dt.truncate(every)))
        for period, (up, every) in longer.items()
    ]
    of_recent = pl.when((pl.col("period") == "year") & (start >= recent)).then(
        _node(pl.lit("recent"), recent)
    )
    period = pl.col("period")
    placed = measured.with_columns(
        node=pl.when(everybody)
        .then(_node(period, start))
        .otherwise(pl.concat_str(_node(period, start), centre, separator="\n")),
        parent=pl.when(everybody)
        .then(pl.coalesce(*of_period, of_recent))
        .otherwise(_node(period, start)),
    )
    is_there = pl.col("parent").is_in(placed["node"].implode())
    placed = placed.join(_leaves(measured), on="node", how="left", maintain_order="left")
    placed = placed.with_columns(pl.col("leaves").fill_null(1))
    return placed.with_columns(parent=pl.when(is_there).then("parent")).with_columns(
        # The recent years are the sum of the years, and of the centres.
        family=pl.concat_str("parent", centre.is_null().cast(pl.String), separator="\n")
    )


def _leaves(measured: pl.DataFrame) -> pl.DataFrame:
    """Return how many months with somebody in them a quarter or year has: its node, leaves."""
    months = measured.filter(
        pl.col("period") == "month", pl.col("centre").is_null(), pl.col("denominator") > 0
    )
    start = pl.col("start").cast(pl.Date)
    above = (("quarter", "1q"), ("year", "1y"))
    nodes = [
        months.select(node=_node(pl.lit(period), start.dt.truncate(every)))
        for period, every in above
    ]
    return pl.concat(nodes).group_by("node").agg(leaves=pl.len())


def _node(period: pl.Expr, start: pl.Expr) -> pl.Expr:
    begins = start.cast(pl.String).fill_null(_NO_START)
    return pl.concat_str("measure", period, begins, separator="\n")


def _more(rows: pl.DataFrame, smallest: int) -> pl.DataFrame:
    """Leave out the parts of what is left out, and below each total one more where it must be."""
    totals = rows.select(
        parent="node",
        total_hidden="suppressed",
        yes=pl.col("numerator").fill_null(0),
        no=(pl.col("denominator") - pl.col("numerator")).fill_null(0),
    )
    parts = rows.join(totals, on="parent", how="left", maintain_order="left")
    hidden = pl.col("suppressed") & (pl.col("denominator") > 0)
    others = ~pl.col("suppressed") & (pl.col("denominator") > 0)
    is_part = pl.col("parent").is_not_null()
    safe = _is_safe(hidden, smallest)
    unsafe = is_part & ~pl.col("total_hidden") & hidden.any().over("family") & ~safe
    rank = pl.when(others).then(pl.col("denominator")).rank("ordinal").over("family")
    without_others = ~others.any().over("family")
    parts = parts.with_columns(
        suppressed=pl.col("suppressed")
        | (is_part & pl.col("total_hidden").fill_null(False))
        | (unsafe & (rank == 1)).fill_null(False),
        gives_total_away=unsafe & without_others,
    )
    away = parts.filter("gives_total_away")["parent"].unique()
    return parts.select(
        *(name for name in rows.columns if name != "suppressed"),
        suppressed=pl.col("suppressed") | pl.col("node").is_in(away.implode()),
    )


def _is_safe(hidden: pl.Expr, smallest: int) -> pl.Expr:
    """Tell whether the parts left out below a total are many enough to hide behind each other.

    That none of them is empty may be known, down to the month: only what is beyond one each can
    be elsewhere.
    """
    denominator, yes = pl.col("denominator"), pl.col("numerator").fill_null(0)
    no = (denominator - pl.col("numerator")).fill_null(0)

    def of_hidden(count: pl.Expr) -> pl.Expr:
        return pl.when(hidden).then(count).otherwise(0).sum().over("family")

    parts, leaves = of_hidden(pl.lit(1)), of_hidden(pl.col("leaves"))
    enough = (parts > 1) & (of_hidden(denominator) - leaves >= smallest - 1)
    for count, total in ((yes, "yes"), (no, "no")):
        wanted = pl.min_horizontal(pl.col(total), pl.lit(smallest - 1))
        enough &= ~pl.col("sensitive") | (of_hidden(count) >= wanted)
    return enough


def rounded(measured: pl.DataFrame, to: int) -> pl.DataFrame:
    """Round counts to the nearest multiple, and take shares of what is rounded.

    One row per row. Medians, which have no numerator, stay.
    """
    if to == 1:
        return measured
    # Half a multiple goes up, as everywhere else than in a banker's rounding.
    counts = {name: (pl.col(name) + to // 2) // to * to for name in _COUNTS[:3]}
    share = (pl.col("numerator") / pl.col("denominator")).round(6)
    has_share = pl.col("numerator").is_not_null()
    return measured.with_columns(**counts).with_columns(
        value=pl.when(~has_share)
        .then("value")
        .when(pl.col("denominator") > 0)
        .then(pl.min_horizontal(share, pl.lit(1.0)))
    )


def shown(counts: dict[str, int], smallest: int) -> dict[str, int | None]:
    """Return counts of groups with the small ones left out (None), and what gives them away.

    An empty group is shown: what is left out is known to be 1 or more. Beside the total, groups
    are left out until each small one could be `smallest` numbers.
    """
    hidden = {name for name, count in counts.items() if 0 < count < smallest}
    others = sorted((n for n in counts if counts[n] >= smallest), key=lambda n: (counts[n], n))
    while hidden and others and sum(counts[n] - 1 for n in hidden) < smallest - 1:
        hidden.add(others.pop(0))
    return {name: None if name in hidden else count for name, count in counts.items()}
