"""Quality-improvement measures: each a small definition, counted per centre and period.

Not one of them judges a patient's care: each asks a question about many. A patient or a course
for which the answer is unknown is left out of the denominator and counted as unknown.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

import polars as pl

from models.spec import Model
from schemas.published import QiMeasures, columns_of
from transforms.measures.disclosure import rounded, suppressed
from transforms.variables.windows import Windows

RECENT_YEARS = 5
"""Centres are compared from the first of January so many years before tonight."""

_OF_ALL_CENTRES = ("month", "quarter", "year")


@dataclass(frozen=True)
class Measure:
    """A question about patients or courses. `counts` is null where the answer is unknown."""

    name: str
    question: str
    """What is asked; windows stand in it by name, `asked` fills them in."""
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

    def asked(self, windows: Windows) -> str:
        """Return the question with the windows in force."""
        return self.question.format(**windows.model_dump())


_HAS_INDEX = pl.col("index_date").is_not_null()
_DTC = pl.col("dtc").fill_null(False) & _HAS_INDEX
_WITHOUT_INDEX = "no first 131I therapy, or its date in doubt"
_NOT_DTC = "no DTC, histology unknown, or no first 131I therapy"
_FIRST_RANGE_MCI = (100.0, 200.0)

PATHWAY = (
    Measure(
        "fdg_pet_at_first_131i",
        "Was FDG PET/CT done within {fdg_days} days of the first 131I therapy?",
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
        "Was stimulated Tg measured in the {stg_days} days before the first 131I therapy?",
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
        "Did the course bring the cumulative administered activity above {cumulative_mci:g} mCi?",
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
                f"Is it known: {model.said(predictor.label)}?",
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
    measures: Sequence[Measure],
    patients: pl.DataFrame,
    courses: pl.DataFrame,
    as_of: date,
    smallest: int,
    round_to: int = 1,
) -> pl.DataFrame:
    """Count every measure: one row per measure, centre (and all of them), and period.

    `patients` has one row per patient with the columns of features and patient_risk; `courses`
    one row per course with its patient's columns. Counts that could point at a patient
    (1 to `smallest` - 1) are left out, others rounded to a multiple of `round_to`; months,
    quarters and years are of all centres only. See `transforms.measures.disclosure`.
    """
    frames = {"patients": patients, "courses": courses}
    counted = [
        counts(of_rows, frames[rows].lazy(), at, as_of)
        for rows, at in dict.fromkeys((one.of, one.at) for one in measures)
        for counts, of_rows in (
            (_shares, [m for m in measures if (m.of, m.at) == (rows, at) and m.unit is None]),
            (_medians, [m for m in measures if (m.of, m.at) == (rows, at) and m.unit is not None]),
        )
        if of_rows
    ]
    # One after the other: together they need half a gigabyte more for a million patients.
    together = pl.concat((one.collect() for one in counted), how="diagonal_relaxed")
    safe = suppressed(together.join(_about(measures), on="measure"), smallest)
    return rounded(safe, round_to).select(
        pl.col(name).cast(dtype) for name, dtype in columns_of(QiMeasures).items()
    )


def _about(measures: Sequence[Measure]) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "measure": [one.name for one in measures],
            "unit": [one.unit or "share" for one in measures],
            "direction": [one.direction for one in measures],
            "sensitive": [one.sensitive for one in measures],
        }
    )


def _shares(measures: Sequence[Measure], rows: pl.LazyFrame, at: str, as_of: date) -> pl.LazyFrame:
    """Count the answers by centre and month, all measures at once; then add the months up."""
    counts: list[pl.Expr] = []
    for one in measures:
        asked = one.among.fill_null(False)
        for what, is_so in (
            ("numerator", one.counts),
            ("denominator", one.counts.is_not_null()),
            ("unknown", one.counts.is_null()),
        ):
            counts.append((asked & is_so).sum().cast(pl.Int64).alias(f"{what}|{one.name}"))
    by_month = (
        rows.filter(pl.col(at).is_not_null())
        .group_by(_centre(), month=pl.col(at).dt.truncate("1mo"))
        .agg(counts)
        .unpivot(index=["centre", "month"], value_name="count")
        .with_columns(pl.col("variable").str.split_exact("|", 1).struct.unnest())
        .rename({"field_0": "what", "field_1": "measure"})
    )
    sums = [
        pl.col("count").filter(pl.col("what") == what).sum().alias(what)
        for what in ("numerator", "denominator", "unknown")
    ]
    return (
        _by_period(by_month, pl.col("month"), as_of)
        .group_by("measure", "centre", "period", "start")
        .agg(sums)
        .filter(pl.col("denominator") + pl.col("unknown") > 0)
        .with_columns(
            value=pl.when(pl.col("denominator") > 0).then(
                (pl.col("numerator") / pl.col("denominator")).round(6)
            )
        )
    )


def _medians(measures: Sequence[Measure], rows: pl.LazyFrame, at: str, as_of: date) -> pl.LazyFrame:
    """Take the medians of each centre and period: they cannot be added up from months."""
    found = []
    for one in measures:
        asked = rows.filter(one.among, pl.col(at).is_not_null()).select(
            _centre(), at=pl.col(at), answer=one.counts
        )
        answer = pl.col("answer")
        found.append(
            _by_period(asked, pl.col("at").dt.truncate("1mo"), as_of)
            .group_by("centre", "period", "start")
            .agg(
                numerator=pl.lit(None, dtype=pl.Int64),
                denominator=answer.is_not_null().sum().cast(pl.Int64),
                unknown=answer.is_null().sum().cast(pl.Int64),
                value=answer.median().cast(pl.Float64).round(3),
            )
            .with_columns(measure=pl.lit(one.name))
        )
    return pl.concat(found)


def _centre() -> pl.Expr:
    return pl.col("centre").fill_null("unknown")


def _by_period(rows: pl.LazyFrame, month: pl.Expr, as_of: date) -> pl.LazyFrame:
    """Repeat rows for all centres together (centre null), and for each period they are in.

    A single centre has no months, quarters and years: they would be small, and could be
    subtracted, over centres and over time. The recent years are whole years for the same reason.
    """
    everybody = rows.with_columns(centre=pl.lit(None, dtype=pl.String))
    both = pl.concat([rows, everybody])
    recent = pl.lit(as_of).dt.offset_by(f"-{RECENT_YEARS}y").dt.truncate("1y")
    starts = {
        "month": month,
        "quarter": month.dt.truncate("1q"),
        "year": month.dt.truncate("1y"),
        "recent": pl.when(month >= recent).then(recent),
    }
    periods = pl.concat(
        (everybody if period in _OF_ALL_CENTRES else both).with_columns(
            period=pl.lit(period), start=start
        )
        for period, start in starts.items()
    )
    return periods.filter(pl.col("start").is_not_null())
