"""Charts: which periods make one, what breaks a rule, and that R says the same."""

import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.transforms.measures.test_measures import BY_NAME, patient
from transforms.measures.charting import latest
from transforms.measures.control_charts import (
    fewest_crossings,
    longest_run,
    p_chart,
    run_chart,
    xmr_chart,
)
from transforms.measures.intervals import of_median, waited, wilson
from transforms.measures.measures import measure

R: dict[str, Any] = json.loads((Path(__file__).parent / "fixtures" / "quality.json").read_text())
"""What `bench/oracles/quality.R` wrote."""

FIRST = date(2020, 1, 1)


def on(number: int) -> date:
    return FIRST + timedelta(days=31 * number)


def points(values: list[float | None], size: int = 100) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "start": [on(number) for number in range(len(values))],
            "numerator": [None if value is None else round(value * size) for value in values],
            "denominator": [None if value is None else size for value in values],
            "value": values,
        },
        schema_overrides={"value": pl.Float64},
    )


@pytest.mark.parametrize("one", R["limits"], ids=lambda one: str(one["n"]))
def test_the_limits_of_runs_and_crossings_are_r_s(one: dict[str, int]) -> None:
    assert longest_run(one["n"]) == one["longest_max"]
    assert fewest_crossings(one["n"]) == one["crossings_min"]


@pytest.mark.parametrize("one", R["runs"], ids=lambda one: str(one["n"]))
def test_a_short_series_signals_as_r_says(one: dict[str, Any]) -> None:
    rules = set(run_chart(points(one["values"]))["signal"].drop_nulls())
    assert ("unusually long run" in rules) is one["long"]
    # Each point says one rule: that it is part of a long run before that crossings are few.
    assert ("unusually few crossings" in rules) is one["few"]


def test_on_twelve_points_no_run_is_too_long() -> None:
    assert longest_run(12) > 12 / 2, "half of the points off a median are on each side"


def test_a_p_chart_is_r_s() -> None:
    of = R["p"]
    frame = pl.DataFrame({name: of[name] for name in ("numerator", "denominator")}).with_columns(
        start=pl.Series([on(number) for number in range(len(of["numerator"]))]),
        value=pl.col("numerator") / pl.col("denominator"),
    )
    charted = p_chart(frame)
    assert charted["centre"].to_list() == pytest.approx([of["centre"]] * charted.height)
    assert charted["lower"].to_list() == pytest.approx(of["lower"])
    assert charted["upper"].to_list() == pytest.approx(of["upper"])


def test_an_xmr_chart_leaves_out_wild_ranges_as_r_s_does() -> None:
    of = R["xmr"]
    charted = xmr_chart(points(of["values"]))
    for name in ("centre", "lower", "upper"):
        assert charted[name][0] == pytest.approx(of[name])
    assert charted["signal"][-1] == "beyond a limit"


@pytest.mark.parametrize("one", R["wilson"], ids=lambda one: f"{one['count']}/{one['total']}")
def test_the_interval_of_a_share_is_r_s(one: dict[str, Any]) -> None:
    row = pl.DataFrame({"count": [one["count"]], "total": [one["total"]]})
    lower, upper = row.select(*_named(wilson(pl.col("count"), pl.col("total")))).row(0)
    assert lower == pytest.approx(one["lower"], abs=1e-6)
    assert upper == pytest.approx(one["upper"], abs=1e-6)


def _named(limits: tuple[pl.Expr, ...]) -> list[pl.Expr]:
    return [limit.alias(str(number)) for number, limit in enumerate(limits)]


@pytest.mark.parametrize("one", R["waits"], ids=lambda one: str(len(one["days"])))
def test_the_median_of_waits_is_r_s_with_those_who_still_wait(one: dict[str, Any]) -> None:
    rows = pl.DataFrame({"days": one["days"], "ended": one["ended"]})
    found = rows.select(*_named(waited(pl.col("days"), pl.col("ended")))).row(0)
    assert found == tuple(one[name] for name in ("median", "lower", "upper"))


@given(st.lists(st.integers(0, 400), min_size=1, max_size=80))
def test_without_anybody_waiting_the_estimate_is_the_lower_median(days: list[int]) -> None:
    rows = pl.DataFrame({"days": days, "ended": True})
    found = rows.select(*_named(waited(pl.col("days"), pl.col("ended")))).row(0)[0]
    assert found == sorted(days)[(len(days) - 1) // 2]


def test_the_interval_of_a_median_rests_on_enough_values() -> None:
    def limits(n: int) -> tuple[float | None, float | None]:
        rows = pl.DataFrame({"days": [*range(1, n + 1), None]})
        return rows.select(*_named(of_median(pl.col("days"), 5))).row(0)

    assert limits(50) == (18, 33)
    assert limits(19) == (5, 15)
    assert limits(12) == (None, None)


def marked(chart: pl.DataFrame) -> list[str | None]:
    return [
        None if signal is None else f"{signal} from {start}"
        for signal, start in chart.select("signal", "run_start").iter_rows()
    ]


def test_the_whole_run_is_marked_and_says_where_it_starts() -> None:
    values: list[float | None] = [0.5, 0.48, *[0.55] * 8, 0.45, 0.5]
    said = f"eight on one side from {on(2)}"
    assert marked(p_chart(points(values, 400), 0.5)) == [None, None, *[said] * 8, None, None]


def test_a_trend_is_marked_with_the_point_it_starts_from() -> None:
    values: list[float | None] = [0.5, 0.45, 0.46, 0.47, 0.48, 0.52, 0.53, 0.5]
    said = f"six rising or falling from {on(1)}"
    assert marked(p_chart(points(values), 0.5)) == [None, *[said] * 6, None]


def test_a_point_that_is_left_out_breaks_no_run_and_is_none_itself() -> None:
    values: list[float | None] = [0.5, *[0.55] * 4, None, *[0.55] * 4, 0.45]
    said = f"eight on one side from {on(1)}"
    assert marked(p_chart(points(values, 400), 0.5)) == [
        *[None, *[said] * 4],
        *[None, *[said] * 4],
        None,
    ]


def test_what_another_chart_said_is_not_taken_over() -> None:
    charted = run_chart(points([0.4] * 6 + [0.6] * 6))
    assert marked(run_chart(charted)) == marked(charted)
    assert set(charted["signal"]) == {"unusually few crossings"}


def measured(per_month: dict[date, tuple[int, int]], as_of: date, **how: Any) -> pl.DataFrame:
    """Return a measure of months with so many yes among so many."""
    one = patient(fdg_row="I1"), patient(fdg_row=None)
    parts = []
    for month, (yes, of) in per_month.items():
        rows = pl.concat([one[0]] * yes + [one[1]] * (of - yes))
        parts.append(rows.with_columns(index_date=pl.lit(month)))
    rows = {"patients": pl.concat(parts)}
    named = BY_NAME["fdg_pet_at_first_131i"]
    return measure([named], rows, as_of, **({"smallest": 5} | how))


def months(count: int, first: date = date(2024, 1, 1)) -> list[date]:
    return list(pl.date_range(first, first.replace(year=first.year + 9), "1mo", eager=True))[:count]


def test_a_chart_has_the_shortest_periods_that_hold_enough() -> None:
    end = date(2025, 12, 31)
    often = measured(dict.fromkeys(months(24), (10, 20)), end)
    assert set(often.filter("charted")["period"]) == {"month"}
    rarely = measured(dict.fromkeys(months(24), (2, 20)), end)
    assert set(rarely.filter("charted")["period"]) == {"quarter"}
    hardly = measured(dict.fromkeys(months(24), (1, 2)), end)
    assert set(hardly.filter("charted")["period"]) == {"year"}
    assert often.filter("charted")["centre"].is_null().all()


def test_a_period_that_has_not_ended_is_no_point_of_the_chart() -> None:
    of = dict.fromkeys(months(24), (10, 20)) | {date(2026, 1, 1): (0, 20)}
    early = measured(of, date(2026, 1, 30)).filter("charted")
    assert early["start"].max() == date(2025, 12, 1)
    whole = measured(of, date(2026, 1, 31)).filter("charted")
    assert whole["start"].max() == date(2026, 1, 1)


def test_what_is_left_out_counts_in_the_centre_and_is_told() -> None:
    of = dict.fromkeys(months(23), (10, 20)) | {date(2025, 12, 1): (2, 100)}
    found = measured(of, date(2025, 12, 31)).filter("charted").sort("start")
    hidden = found.filter("suppressed")
    assert hidden["start"].max() == date(2025, 12, 1)
    assert found.filter(~pl.col("suppressed"))["value"].unique().to_list() == [0.5]
    # 232 of 560, as near as one may get to what is left out.
    assert set(found["centre_line"]) == {round(230 / 560, 6)}
    assert set(found["periods_hidden"]) == {hidden.height}
    assert found["signal"].to_list()[0] == "different"


def test_each_measure_has_one_line_that_says_how_it_stands() -> None:
    of = dict.fromkeys(months(24), (10, 20)) | {date(2025, 12, 1): (20, 20)}
    found = measured(of, date(2025, 12, 31), targets={"fdg_pet_at_first_131i": 0.9})
    (line,) = latest(found).to_dicts()
    assert (line["start"], line["value"], line["on_target"]) == (date(2025, 12, 1), 1.0, True)
    assert (line["signal"], line["rule"]) == ("different", "beyond a limit")
    assert line["lower"] < 1.0 == line["upper"]


@pytest.mark.parametrize(
    ("name", "unusual", "means"),
    [
        ("stg_before_first_131i", 0, "worse"),
        ("stg_before_first_131i", 20, "better"),
        ("fdg_pet_at_first_131i", 0, "different"),
    ],
)
def test_a_signal_says_whether_it_is_for_the_better(name: str, unusual: int, means: str) -> None:
    column = {"stg_before_first_131i": "stg_row", "fdg_pet_at_first_131i": "fdg_row"}[name]
    of = dict.fromkeys(months(24), 10) | {date(2025, 12, 1): unusual}
    parts = [
        pl.concat([patient(**{column: "X"})] * yes + [patient()] * (20 - yes)).with_columns(
            index_date=pl.lit(month)
        )
        for month, yes in of.items()
    ]
    found = measure([BY_NAME[name]], {"patients": pl.concat(parts)}, date(2025, 12, 31), smallest=1)
    newest = latest(found).row(0, named=True)
    assert (newest["start"], newest["signal"]) == (date(2025, 12, 1), means)
