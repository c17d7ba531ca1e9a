"""Drift: patients first treated lately beside those before, and beside the development cohorts.

Of patients for whom the cohort's model is, since the cohort is of no others. The limits are around
those before: three standard errors of the difference, and never less than the setting `drift`. The
cohort's share is the reference. Uptake hangs on later courses, which who was treated lately cannot
have had: its shares have no limits. Missing values, scored patients and review verdicts are quality
measures, which have charts of their own: their latest point is here.
"""

from collections.abc import Iterator, Mapping, Sequence
from math import sqrt
from typing import Any

import polars as pl

from models.cohorts import DEVELOPED, SHARES, Share
from models.spec import Model
from transforms.measures.charting import latest
from transforms.surveillance.matured import SIGMAS
from transforms.surveillance.series import Rules

FEATURES = sorted({share.feature for share in SHARES})
"""The variables whose shares are watched."""
_LATER = "uptake_category"
_LEAST_SD = 0.2


def of_predictors(
    features: pl.DataFrame, scores: pl.DataFrame, rules: Rules
) -> Iterator[dict[str, Any]]:
    """Yield the share of each predictor's level among patients first treated lately.

    Who is certainly not eligible for the cohort's model is not counted.
    """
    refused = scores.filter(pl.col("status") == "ineligible")
    apart = {
        cohort: _apart(
            features.join(refused.filter(model=model), on="patient_id", how="anti"), rules
        )
        for cohort, model in DEVELOPED.items()
    }
    for share in SHARES:
        if share.feature in features.columns:
            yield _share(share, *apart[share.cohort], rules)


def _apart(rows: pl.DataFrame, rules: Rules) -> tuple[pl.DataFrame, pl.DataFrame]:
    since = pl.lit(rules.night).dt.offset_by(f"-{rules.watching.drift_years}y")
    known = rows.drop_nulls("index_date")
    return known.filter(pl.col("index_date") > since), known.filter(pl.col("index_date") <= since)


def _share(share: Share, late: pl.DataFrame, early: pl.DataFrame, rules: Rules) -> dict[str, Any]:
    (count, size), (before, of) = (
        _counted(frame, share.feature, share.level) for frame in (late, early)
    )
    lately = f"eligible and first treated in the last {rules.watching.drift_years} years"
    row: dict[str, Any] = {
        "model": share.cohort,
        "measure": f"share_{share.feature}_{share.level}",
        "words": f"{share.label}, {lately}",
        "start": rules.quarter,
        "until": rules.night,
        "reference": round(share.value, 4),
        "suppressed": False,
    }
    if size == 0:
        return row | {"note": f"nobody {lately} with a known value"}
    if any(rules.is_small(n) for n in (size, count, size - count)):
        return row | {"suppressed": True, "note": "left out: small numbers"}
    counts = {"patients": rules.shown(size), "events": rules.shown(count)}
    shown = min(1.0, counts["events"] / counts["patients"]) if counts["patients"] else None
    row |= counts | {"value": None if shown is None else round(shown, 4)}
    if share.feature == _LATER:
        return row | {"note": "hangs on later courses: no limits"}
    if any(rules.is_small(n) for n in (of, before, of - before)) or of == 0:
        return row | {"note": "too few before to compare with"}
    usual, now = before / of, count / size
    wide = max(rules.watching.drift, SIGMAS * sqrt(usual * (1 - usual) * (1 / of + 1 / size)))
    low, high = max(usual - wide, 0.0), min(usual + wide, 1.0)
    signal = None if low <= now <= high else f"it was {usual:.0%} before"
    return row | {"limit_lower": round(low, 4), "limit_upper": round(high, 4), "signal": signal}


def _counted(frame: pl.DataFrame, feature: str, level: str) -> tuple[int, int]:
    known = frame[feature].drop_nulls().cast(pl.String)
    return int((known == level).sum()), known.len()


def of_points(
    scores: pl.DataFrame, features: pl.DataFrame, models: Sequence[Model], rules: Rules
) -> Iterator[dict[str, Any]]:
    """Yield the mean points of patients first treated lately, of each model with points."""
    dated = features.select("patient_id", "index_date")
    scored = scores.filter(pl.col("status") == "scored").select("patient_id", "model", "points")
    scored = scored.drop_nulls("points").join(dated, on="patient_id")
    for model in models:
        late, early = _apart(scored.filter(pl.col("model") == model.name), rules)
        enough = min(late.height, early.height) >= max(20, rules.smallest)
        if model.family == "logistic" or not enough:
            continue
        (now, spread), (usual, before) = (_mean(frame) for frame in (late, early))
        error = sqrt(spread**2 / late.height + before**2 / early.height)
        wide = max(SIGMAS * error, _LEAST_SD * before)
        yield {
            "model": model.name,
            "measure": "points",
            "words": f"mean points, first treated in the last {rules.watching.drift_years} years",
            "start": rules.quarter,
            "until": rules.night,
            "patients": rules.shown(late.height),
            "value": round(now, 1),
            "limit_lower": round(usual - wide, 1),
            "limit_upper": round(usual + wide, 1),
            "signal": None if abs(now - usual) <= wide else f"{usual:.3g} before",
            "suppressed": False,
        }


def _mean(frame: pl.DataFrame) -> tuple[float, float]:
    points = frame["points"].cast(pl.Float64).to_numpy()
    return float(points.mean()), float(points.std(ddof=1))


def of_quality(
    measures: pl.DataFrame, questions: Mapping[str, str], rules: Rules
) -> Iterator[dict[str, Any]]:
    """Yield the latest point of completeness, and every charted point of review verdicts.

    `measures` are those that the night publishes: counts in them are already safe to show.
    `questions` says what each asks.
    """
    charted = measures.filter("charted")
    newest = latest(charted).select("measure", "start")
    name = pl.col("measure")
    known = charted.join(newest, on=["measure", "start"]).filter(
        name.str.contains("^(known|scored)_")
    )
    verdicts = charted.filter(name.str.starts_with("confirmed_"))
    for row in pl.concat([known, verdicts]).sort("measure", "start").iter_rows(named=True):
        rule = f"{row['signal']}: {row['rule']}" if row["signal"] else None
        yield {
            "measure": row["measure"],
            "words": questions[row["measure"]],
            "start": row["start"],
            "until": rules.night,
            "patients": row["denominator"],
            "events": row["numerator"],
            "value": row["value"],
            "lower": row["lower"],
            "upper": row["upper"],
            "limit_lower": row["limit_lower"],
            "limit_upper": row["limit_upper"],
            "signal": rule,
            "suppressed": row["suppressed"],
        }
