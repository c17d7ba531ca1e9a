"""Quality-improvement measures: each a small definition, counted per centre and period.

Not one of them judges a patient's care: each asks a question about many. A patient or a course
for which the answer is unknown is left out of the denominator and counted as unknown.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Literal

import polars as pl

from models.spec import Model
from schemas.published import QiMeasures, columns_of
from transforms.disclosure import suppressed

RECENT_YEARS = 5
"""Centres are compared over so many years before tonight."""


@dataclass(frozen=True)
class Measure:
    """A question about patients or courses. `counts` is null where the answer is unknown."""

    name: str
    question: str
    of: Literal["patients", "courses"]
    at: str
    """The date that says in which period a patient or course counts."""
    among: pl.Expr
    """Who is asked about: the denominator, with those of unknown answer."""
    counts: pl.Expr
    """The answer: true or false; or a number, when `unit` says of what the median is taken."""
    exclusions: str
    direction: Literal["higher", "lower", "neither"]
    """Which way is better."""
    source: str
    unit: str | None = None
    sensitive: bool = True
    """Whether the answer says something of a patient's health; completeness does not."""


_HAS_INDEX = pl.col("index_date").is_not_null()
_DTC = pl.col("dtc").fill_null(False) & _HAS_INDEX
_WITHOUT_INDEX = "no first 131I therapy, or its date in doubt"
_NOT_DTC = "no DTC, histology unknown, or no first 131I therapy"
_FIRST_RANGE_MCI = (100.0, 200.0)

PATHWAY = (
    Measure(
        "fdg_pet_at_first_131i",
        "Was FDG PET/CT done within 7 days of the first 131I therapy?",
        of="patients",
        at="index_date",
        among=_DTC & pl.col("metastatic").fill_null(False),
        counts=pl.col("fdg_row").is_not_null(),
        exclusions=f"{_NOT_DTC}; no metastasis known by then",
        direction="neither",
        source="Liu 2022, Methods: PET/CT within one week of the first 131I",
    ),
    Measure(
        "stg_before_first_131i",
        "Was stimulated Tg measured in the 30 days before the first 131I therapy?",
        of="patients",
        at="index_date",
        among=_DTC,
        counts=pl.col("stg_row").is_not_null(),
        exclusions=_NOT_DTC,
        direction="higher",
        source="Jin 2025, Methods: stimulated Tg before 131I",
    ),
    Measure(
        "uptake_recorded",
        "Is the lesions' 131I uptake on the post-therapy scan recorded for the course?",
        of="courses",
        at="treatment_date",
        among=pl.col("metastatic").fill_null(False),
        counts=pl.col("lesion_uptake").is_not_null() & (pl.col("lesion_uptake") != "not_assessed"),
        exclusions="patients without a metastasis known by the first 131I therapy",
        direction="higher",
        source="Jin 2025, Methods: 131I uptake category from post-therapy scans",
    ),
    Measure(
        "first_activity_in_range",
        "Was the first administered activity 3.7 to 7.4 GBq (100 to 200 mCi)?",
        of="patients",
        at="index_date",
        among=_DTC,
        counts=pl.col("activity_mci").is_between(*_FIRST_RANGE_MCI),
        exclusions=_NOT_DTC,
        direction="neither",
        source="Liu 2022, Methods: 3.7 to 7.4 GBq",
    ),
    Measure(
        "months_operation_to_131i",
        "How many months passed from the first thyroidectomy to the first 131I therapy?",
        of="patients",
        at="index_date",
        among=_DTC & pl.col("thyroidectomy_before_index").fill_null(False),
        counts=pl.col("months_operation_to_i131"),
        exclusions=f"{_NOT_DTC}; no operation before it",
        direction="lower",
        source="definition of this project",
        unit="months",
    ),
    Measure(
        "course_beyond_600_mci",
        "Did the course bring the cumulative administered activity above 600 mCi?",
        of="courses",
        at="treatment_date",
        among=pl.lit(True),
        counts=pl.col("beyond_limit"),
        exclusions="none; unknown where an activity is missing",
        direction="lower",
        source="Liu 2022, RR-DTC criterion 5",
    ),
    Measure(
        "course_after_rrdtc",
        "Was the course given after an RR-DTC criterion was already met?",
        of="courses",
        at="treatment_date",
        among=pl.col("dtc").fill_null(False),
        counts=(pl.col("treatment_date") > pl.col("rrdtc_met_date")).fill_null(False),
        exclusions="no DTC, or histology unknown",
        direction="lower",
        source="Liu 2022, RR-DTC criteria",
    ),
    Measure(
        "days_rrdtc_to_review",
        "How many days passed from meeting an RR-DTC criterion to the last review after it?",
        of="patients",
        at="rrdtc_met_date",
        among=pl.col("rrdtc_met_date").is_not_null(),
        counts=pl.when(pl.col("reviewed_at") >= pl.col("rrdtc_met_date")).then(
            (pl.col("reviewed_at") - pl.col("rrdtc_met_date")).dt.total_days()
        ),
        exclusions="no RR-DTC criterion met; unknown where not reviewed since",
        direction="lower",
        source="definition of this project",
        unit="days",
    ),
)


def completeness(models: Iterable[Model]) -> list[Measure]:
    """Return a measure for each predictor of the models, and for each model."""
    found: dict[str, Measure] = {}
    for model in models:
        for predictor in model.predictors:
            found[predictor.feature] = Measure(
                f"known_{predictor.feature}",
                f"Is it known: {predictor.label}?",
                of="patients",
                at="index_date",
                among=_DTC,
                counts=pl.col(predictor.feature).is_not_null(),
                exclusions=_NOT_DTC,
                direction="higher",
                source=f"a predictor of {model.name}",
                sensitive=False,
            )
    scored = [
        Measure(
            f"scored_{prefix}",
            f"Could the {words} be computed with every predictor known?",
            of="patients",
            at="index_date",
            among=_HAS_INDEX & (pl.col(f"{prefix}_status") != "ineligible"),
            counts=pl.col(f"{prefix}_status") == "scored",
            exclusions=f"{_WITHOUT_INDEX}; not eligible",
            direction="higher",
            source="definition of this project",
            sensitive=False,
        )
        for prefix, words in (
            ("rrdtc", "RR-DTC score"),
            ("os", "overall survival points"),
            ("pfs", "progression-free survival points"),
        )
    ]
    return [*found.values(), *scored]


def measure(
    measures: Iterable[Measure],
    patients: pl.DataFrame,
    courses: pl.DataFrame,
    as_of: date,
    smallest: int,
) -> pl.DataFrame:
    """Count every measure: one row per measure, centre (and all of them), and period.

    `patients` has one row per patient with the columns of features and patient_risk; `courses`
    one row per course with its patient's columns. Counts that could point at a patient
    (1 to `smallest` - 1) are left out; see `transforms.disclosure`.
    """
    frames = {"patients": patients, "courses": courses}
    counted = [_count(one, frames[one.of].lazy(), as_of) for one in measures]
    together = pl.concat(pl.collect_all(counted))
    return suppressed(together, smallest).select(
        pl.col(name).cast(dtype) for name, dtype in columns_of(QiMeasures).items()
    )


def _count(one: Measure, rows: pl.LazyFrame, as_of: date) -> pl.LazyFrame:
    asked = rows.filter(one.among, pl.col(one.at).is_not_null()).select(
        pl.col("centre").fill_null("unknown"), at=pl.col(one.at), answer=one.counts
    )
    both = pl.concat([asked, asked.with_columns(centre=pl.lit(None, dtype=pl.String))])
    recent = pl.lit(as_of).dt.offset_by(f"-{RECENT_YEARS}y")
    starts = {
        "month": pl.col("at").dt.truncate("1mo"),
        "quarter": pl.col("at").dt.truncate("1q"),
        "year": pl.col("at").dt.truncate("1y"),
        "recent": pl.when(pl.col("at") > recent).then(recent),
    }
    periods = pl.concat(
        both.with_columns(period=pl.lit(period), start=start) for period, start in starts.items()
    ).filter(pl.col("start").is_not_null())
    answer = pl.col("answer")
    known = answer.is_not_null().sum()
    if one.unit is None:
        numerator = answer.sum().cast(pl.Int64)
        value = divided_by_count(numerator, known)
    else:
        numerator = pl.lit(None, dtype=pl.Int64)
        value = answer.median().cast(pl.Float64).round(3)
    return (
        periods.group_by("centre", "period", "start")
        .agg(
            numerator=numerator,
            denominator=known.cast(pl.Int64),
            unknown=answer.is_null().sum().cast(pl.Int64),
            value=value,
        )
        .with_columns(
            measure=pl.lit(one.name),
            sensitive=pl.lit(one.sensitive),
            unit=pl.lit(one.unit or "share"),
            direction=pl.lit(one.direction),
        )
        .sort("period", "start", "centre")
    )


def divided_by_count(numerator: pl.Expr, count: pl.Expr) -> pl.Expr:
    """Return a share to six decimals; null of nothing."""
    return pl.when(count > 0).then((numerator / count).round(6))
