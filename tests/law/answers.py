"""What is published of patients, and whether one answer may stand where another stood."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date

import polars as pl
import polars.selectors as cs

from models.engine import score
from models.spec import library
from schemas.registry import TABLES
from tests.registry import AS_OF, Rows, read
from transforms.reading.coverage import Coverage
from transforms.review.episode import with_episode
from transforms.review.flags import patient_risk
from transforms.variables import refractory, uptake
from transforms.variables.as_of import known_as_of
from transforms.variables.features import features
from transforms.variables.windows import Windows

COUNT_DAMAGE = ("quarantined_rows", "cells_set_aside", "activity_missing_courses")
"""What counts damage itself is exempt."""
_OF_THE_FLAG = "hangs_on_axis"
"""Says how firm tonight's flag is, not what holds for the patient: less is known, less firm."""
PREFIX = "/"
"""Ends the patient's name in a key: the copies of a row have keys that say the same."""
_IN_DOUBT = (refractory.IN_DOUBT, uptake.IN_DOUBT)
_SLACK = 1e-6
_CHANGE = dict.fromkeys(("patient_id", "base", "answer", "old", "new"), pl.String)
_OF_REVIEW = ("rrdtc_history", "pfs_history", "os_survival_given_3y", "os_survival_given_5y")
"""What patient_risk answers beside features and scores."""
_SITES = ("sites_at_least", "sites_today_at_least")


@dataclass(frozen=True)
class When:
    """The night: its day, the day of the export, and what the registry collects."""

    as_of: date = AS_OF
    extracted_on: date | None = None
    coverage: Coverage = field(default_factory=Coverage)


def gathered(parts: Iterable[tuple[str, Rows]]) -> Rows:
    """Return one registry of many patients, each under the name given; keys carry the name."""
    together: Rows = {name: [] for name in TABLES}
    for name, rows in parts:
        for table, theirs in rows.items():
            key = TABLES[table].key
            for row in theirs:
                named = row | {"patient_id": name}
                if key not in (None, "patient_id") and row[key] is not None:
                    named[key] = f"{name}{PREFIX}{row[key]}"
                together[table].append(named)
    return together


def answers(rows: Rows, when: When) -> pl.DataFrame:
    """Return everything that is published of each patient: one row per patient_id."""
    tables, aside = read(rows, when.as_of)
    lazy = {name: frame.lazy() for name, frame in tables.items()}
    known = known_as_of(lazy, aside.lazy(), when.as_of, when.coverage, when.extracted_on)
    derived = features(known, aside.lazy(), Windows())
    named = tables["patients"].select("patient_no", "patient_id").join(derived, on="patient_no")
    scores = {name: score(named, model) for name, model in library().items()}
    parts = [
        named.with_columns(pl.col("^.*_row$").str.replace(f"^.*{PREFIX}", "")),
        patient_risk(named, scores, None).select(_OF_REVIEW),
        with_episode(named).select("followed"),
    ]
    for name, scored in scores.items():
        told = scored.drop("patient_no", "patient_id", "model", _OF_THE_FLAG, cs.list())
        parts.append(told.rename(lambda column, name=name: f"{name}.{column}"))
    return pl.concat(parts, how="horizontal").drop("patient_no", *COUNT_DAMAGE)


def differences(answered: pl.DataFrame, after: pl.DataFrame) -> pl.DataFrame:
    """Return each answer that changed into another: one row per patient of `after` and answer.

    `after` has `base`, the patient_id in `answered` whose rows were damaged.
    """
    joined = after.join(answered, left_on="base", right_on="patient_id", suffix=".old")
    found = []
    for name in answered.columns:
        if name == "patient_id":
            continue
        bad = joined.filter(~_may_follow(name, answered.schema[name]))
        if bad.height:
            found.append(
                bad.select(
                    "patient_id",
                    "base",
                    answer=pl.lit(name),
                    old=pl.col(f"{name}.old").cast(pl.String),
                    new=pl.col(name).cast(pl.String),
                )
            )
    return pl.concat(found) if found else pl.DataFrame(schema=_CHANGE)


def _may_follow(name: str, dtype: pl.DataType) -> pl.Expr:
    """Tell whether the new answer may stand where the old one stood."""
    old, new = pl.col(f"{name}.old"), pl.col(name)
    stays = old.eq_missing(new)
    if dtype.is_float():
        stays |= ((old - new).abs() <= _SLACK).fill_null(False)
    model, _, column = name.rpartition(".")
    if column in _SITES:
        sites = new.fill_null("").str.split(", ")
        return new.is_null() | sites.list.set_difference(old.str.split(", ")).list.len().eq(0)
    if column.endswith("_at_least"):
        return new.is_null() | (new <= old).fill_null(False)
    if column.endswith("_reason"):
        return stays | new.is_in(_IN_DOUBT)
    if not model:
        return stays | new.is_null() | (new.cast(pl.String) == "unknown").fill_null(False)
    beyond = pl.col(f"{model}.extrapolated.old").fill_null(False)
    if "_inferred_" in column:
        beyond |= _beyond_some_axis(model)
    if column == "status":
        return stays | (new == "insufficient") | ((old == "scored") & (new == "bounded"))
    if column == "risk":
        return stays | beyond | (new == "indeterminate")
    if column.endswith("_lower"):
        return stays | beyond | new.is_null() | (new <= old + _SLACK).fill_null(False)
    if column.endswith("_upper"):
        return stays | beyond | new.is_null() | (new >= old - _SLACK).fill_null(False)
    return stays | new.is_null()


def _beyond_some_axis(model: str) -> pl.Expr:
    """Tell whether a value is outside an axis that the nomogram may have had."""
    outside = [pl.lit(False)]
    for predictor in library()[model].predictors:
        if predictor.axis:
            low, high = predictor.axis.low.interval, predictor.axis.high.interval
            assert low and high
            outside.append(~pl.col(f"{predictor.feature}.old").is_between(low[1], high[0]))
    return pl.any_horizontal(outside).fill_null(False)
