"""The series of surveillance: a row per figure and quarter, with limits, and signals in words.

A figure of tonight stands for its quarter; those of earlier quarters are as their last night
published them. CUSUMs start from zero where the years that are looked back on begin, and are made
anew each night: outcomes come late. What they show is a share of the threshold in quarter steps,
so that no single event is read off them.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from math import floor, isfinite
from typing import Any

import polars as pl

from models.spec import Model
from schemas.published import Surveillance, columns_of
from transforms.surveillance.matured import (
    BY_YEARS,
    Seen,
    cusums,
    discrimination,
    followed,
    incidence,
    observed_to_expected,
)
from transforms.surveillance.watching import Watching

REMADE = ("cusum_more", "cusum_fewer")
"""Measures whose whole series is made anew each night."""
STEP = 0.25


@dataclass(frozen=True)
class Rules:
    """The date of the night, the settings of surveillance, and how counts are shown."""

    night: date
    watching: Watching
    smallest: int
    round_to: int

    @property
    def quarter(self) -> date:
        """The first day of the night's quarter."""
        return date(self.night.year, (self.night.month - 1) // 3 * 3 + 1, 1)

    @property
    def quarters(self) -> list[date]:
        """The first day of each quarter that is looked back on."""
        first = (self.quarter.year - self.watching.years) * 4 + self.quarter.month // 3
        count = 4 * self.watching.years + 1
        return [date(n // 4, n % 4 * 3 + 1, 1) for n in range(first, first + count)]

    def shown(self, count: int) -> int:
        """Return a count as a multiple of what counts are rounded to; half goes up."""
        return (count + self.round_to // 2) // self.round_to * self.round_to

    def is_small(self, count: int) -> bool:
        """Tell whether a count could point at a patient."""
        return 0 < count < self.smallest


def of_predictions(
    kept: pl.DataFrame, models: Sequence[Model], features: pl.DataFrame, rules: Rules
) -> list[dict[str, Any]]:
    """Return tonight's figures of kept predictions as rows of Surveillance."""
    rows: list[dict[str, Any]] = []
    for model in models:
        watched = followed(kept, model, features)
        if watched.is_empty():
            continue
        rows += _of_model(watched, model, rules)
    return rows


def _of_model(watched: pl.DataFrame, model: Model, rules: Rules) -> Iterator[dict[str, Any]]:
    row = {"model": model.name, "start": rules.quarter, "until": rules.night}
    if model.family == "cox":
        inferred = any(point.survival.status == "inferred" for point in model.baseline)
        note = "the baseline is inferred: this tests the reconstruction too" if inferred else None
        seen = observed_to_expected(watched)
        words = "events seen to events expected"
        yield _figure(row | {"measure": "oe", "words": words, "note": note}, seen, rules)
    c = discrimination(watched, model)
    words = f"Uno's C by {BY_YEARS:g} years"
    yield _figure(row | {"measure": "c", "words": words}, c, rules)
    if model.family == "logistic":
        words = f"RR-DTC met within {BY_YEARS:g} years, beside the mean probability"
        note = "the paper gives its probability no time: it should be reached only late"
        told = row | {"measure": "incidence", "words": words, "note": note}
        yield _figure(told, incidence(watched), rules)
    if model.family == "cox" and not rules.is_small(watched["patient_id"].n_unique()):
        yield from _cusum_rows(watched, row, rules)


def _figure(row: dict[str, Any], seen: Seen, rules: Rules) -> dict[str, Any]:
    """Return a figure as it is shown: none with few events, counts rounded or left out."""
    events, least = rules.shown(seen.events), rules.watching.minimum_events
    small = rules.is_small(seen.events) or rules.is_small(seen.patients)
    row = row | {
        "patients": None if rules.is_small(seen.patients) else rules.shown(seen.patients),
        "events": None if small else events,
        "expected": None
        if seen.expected is None or rules.is_small(seen.patients)
        else round(seen.expected, 3),
        "suppressed": small,
    }
    if seen.events < least or not isfinite(seen.value):
        many = f"fewer than {rules.smallest}" if small else f"about {events}"
        many = "none" if seen.events == 0 else many
        return row | {"note": f"too few events: {many}, at least {least} advised"}
    low, high = seen.limits
    return row | {
        "value": round(seen.value, 4),
        "lower": round(seen.lower, 4),
        "upper": round(seen.upper, 4),
        "reference": None if seen.reference is None else round(seen.reference, 4),
        "limit_lower": round(low, 4) if isfinite(low) else None,
        "limit_upper": round(high, 4) if isfinite(high) else None,
        "signal": _beyond(row["measure"], seen.value, low, high),
    }


def _beyond(measure: str, value: float, low: float, high: float) -> str | None:
    if low <= value <= high:
        return None
    if measure == "oe":
        return "more events than predicted" if value > high else "fewer events than predicted"
    if measure == "c":
        return "lower than these predictions would have, were they right"
    return "other than before"


def _cusum_rows(
    watched: pl.DataFrame, row: dict[str, Any], rules: Rules
) -> Iterator[dict[str, Any]]:
    limits = rules.watching
    first = watched["predicted_on"].min()
    assert isinstance(first, date)  # noqa: S101
    quarters = rules.quarters
    began = max((day for day in quarters if day <= first), default=quarters[0])
    quarters = [day for day in quarters if day >= began]
    made = cusums(watched, quarters, rules.night, limits.cusum_ratio)
    for name, which, than in (("cusum_more", "more", "more"), ("cusum_fewer", "fewer", "fewer")):
        for start, value in made.select("start", which).iter_rows():
            share = value / limits.cusum_threshold
            yield row | {
                "measure": name,
                "words": f"CUSUM of {than} events than predicted, as a share of its threshold",
                "start": start,
                "value": floor(share / STEP) * STEP,
                "reference": 1.0,
                "limit_upper": 1.0,
                "signal": f"{than} events than predicted, for a while" if share >= 1 else None,
                "suppressed": False,
            }


def with_earlier(
    rows: Sequence[dict[str, Any]], last: pl.DataFrame | None, rules: Rules
) -> pl.DataFrame:
    """Return tonight's rows, and those of earlier quarters from the last night, as Surveillance."""
    schema = columns_of(Surveillance)
    blank = dict.fromkeys(schema)
    tonight = pl.DataFrame([blank | row for row in rows], schema=schema, strict=False)
    floats = [name for name, dtype in schema.items() if dtype == pl.Float64]
    tonight = tonight.with_columns(
        pl.when(pl.col(name).is_finite()).then(pl.col(name)).alias(name) for name in floats
    )
    if last is not None:
        remade = pl.col("measure").is_in(REMADE) | is_quality()
        old = pl.col("start").is_between(rules.quarters[0], rules.quarter, closed="left")
        typed = last.select(pl.col(name).cast(dtype) for name, dtype in schema.items())
        earlier = typed.filter(old & ~remade)
        tonight = pl.concat([earlier, tonight])
    return tonight.sort("model", "measure", "words", "start", nulls_last=True)


def is_quality() -> pl.Expr:
    """Tell whether a row is of a quality measure."""
    return pl.col("measure").str.contains("^(known|scored|confirmed)_")


def signals(series: pl.DataFrame, rules: Rules) -> list[str]:
    """Return what is a reason to look tonight, in words; earlier quarters are past."""
    newest = (
        series.filter((pl.col("start") == rules.quarter) | is_quality())
        .sort("start")
        .group_by("model", "measure", "words", maintain_order=True)
        .last()
        .filter(pl.col("signal").is_not_null())
        .sort("model", "measure", "words", nulls_last=True)
    )
    return [_said(row) for row in newest.iter_rows(named=True)]


def _said(row: dict[str, Any]) -> str:
    about = f"{row['model']}: " if row["model"] else ""
    if row["measure"] in REMADE:
        return f"{about}{row['signal']} (CUSUM)"
    if row["value"] is None:
        return f"{about}{row['words']}: {row['signal']}"
    known = row["lower"] is not None and row["upper"] is not None
    interval = f" ({row['lower']:.3g} to {row['upper']:.3g})" if known else ""
    return f"{about}{row['words']}: {row['value']:.3g}{interval}, {row['signal']}"
