"""The definitions of the quality measures: each a question, whom it asks, and what counts.

Not one of them judges a patient's care: each asks a question about many. A patient or a course
for which the answer is unknown is left out of the denominator and counted as unknown.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import polars as pl

from models.spec import Model
from transforms.measures.reviewing import FLAGS, KINDS
from transforms.variables.windows import Windows


@dataclass(frozen=True)
class Measure:
    """A question about many. `counts` is null where the answer is unknown."""

    name: str
    question: str
    """What is asked; windows stand in it by name, `asked` fills them in."""
    of: Literal["patients", "courses", "reviews", "waits"]
    at: str
    """The date that says in which period a row counts."""
    among: pl.Expr
    """Who is asked about: the denominator, with those of unknown answer."""
    counts: pl.Expr
    """The answer: true or false; or a number, when `unit` says of what the median is taken."""
    exclusions: str
    direction: Literal["higher", "lower", "neither"]
    """Which way is better."""
    source: str
    unit: str | None = None
    ended: pl.Expr | None = None
    """Of waits: whether one has ended. The median is then a survival estimate (Kaplan-Meier)."""
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
_NOT_DISTANT = ("lymph_node", "larynx_trachea")
_DISTANT = (
    pl.col("sites_at_least")
    .str.split(", ")
    .list.eval(~pl.element().is_in(["", *_NOT_DISTANT]))
    .list.any()
    .fill_null(False)
)
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
        "With distant metastases, was the first administered activity 3.7 to 7.4 GBq (100 to 200 "
        "mCi)?",
        of="patients",
        at="index_date",
        among=_DTC & _DISTANT,
        counts=pl.col("activity_mci").is_between(*_FIRST_RANGE_MCI),
        exclusions=f"{_NOT_DTC}; no distant site certainly known by then (lymph nodes, larynx and "
        "trachea are none): without distant metastases less is rightly given",
        direction="neither",
        source="Jin 2025, Introduction: range of the guidelines for lung and other distant "
        "metastases, there called overly broad",
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
        "imaging_after_rrdtc",
        "Was there a CT, MRI or FDG PET/CT within 12 months after an RR-DTC criterion was met?",
        of="patients",
        at="rrdtc_met_date",
        among=pl.col("rrdtc_met_date").is_not_null(),
        counts=pl.col("imaging_after_rrdtc"),
        exclusions="no RR-DTC criterion met; unknown where the 12 months are not over, the patient "
        "died within them, or imaging is not collected",
        direction="higher",
        source="definition of this project; the criteria are Liu 2022's",
    ),
    Measure(
        "i131_after_rrdtc",
        "Was 131I given after the day on which an RR-DTC criterion was met?",
        of="patients",
        at="rrdtc_met_date",
        among=pl.col("rrdtc_met_date").is_not_null(),
        counts=pl.col("i131_after_rrdtc"),
        exclusions="no RR-DTC criterion met",
        direction="lower",
        source="definition of this project; the criteria are Liu 2022's",
    ),
)

REVIEWING = (
    *(
        Measure(
            f"confirmed_{kind}",
            f"Of decisions on patients listed for {words}, which share confirmed the reason?",
            of="reviews",
            at="reviewed_at",
            among=pl.col("listed_for") == kind,
            counts=pl.col("decision") == "confirmed",
            exclusions="deferrals, reviews that were taken back, and those of nights that are gone",
            direction="higher",
            source="definition of this project: positive predictive value of the worklist",
        )
        for kind, words in zip(
            KINDS,
            (
                "an RR-DTC criterion",
                "a progression",
                "a high risk",
                "a result",
                "an undecided flag",
                "a deferral that came",
            ),
            strict=True,
        )
    ),
    Measure(
        "days_to_first_review",
        "How many days does a patient on the worklist wait for the first review?",
        of="waits",
        at="waiting_since",
        among=pl.lit(True),
        counts=pl.col("days"),
        ended=pl.col("reviewed"),
        exclusions="none: those who still wait count until tonight",
        direction="lower",
        source="definition of this project; Kaplan-Meier",
        unit="days",
    ),
    Measure(
        "days_flag_to_first_review",
        "How many days pass from a flag (criterion, progression, high risk) to the first review?",
        of="waits",
        at="waiting_since",
        among=pl.col("listed_for").is_in(FLAGS),
        counts=pl.col("days"),
        ended=pl.col("reviewed"),
        exclusions="patients listed for anything else; those who still wait count until tonight",
        direction="lower",
        source="definition of this project; Kaplan-Meier",
        unit="days",
    ),
)
"""The measures of the worklist itself, from what reviewers decided."""


def completeness(models: Iterable[Model]) -> list[Measure]:
    """Return a measure for each predictor of the models, and for each model.

    A predictor is asked for of those for whom one of the models needs it.
    """
    needing: dict[str, list[Model]] = {}
    labels: dict[str, str] = {}
    for model in models:
        for predictor in model.predictors:
            needing.setdefault(predictor.feature, []).append(model)
            labels[predictor.feature] = model.said(predictor.label)
    known = [
        Measure(
            f"known_{feature}",
            f"Is it known: {labels[feature]}?",
            of="patients",
            at="index_date",
            among=_HAS_INDEX & _eligible(needing[feature]),
            counts=pl.col(feature).is_not_null(),
            exclusions=f"{_WITHOUT_INDEX}; eligible for none of the models that need it",
            direction="higher",
            source=f"a predictor of {', '.join(model.name for model in needing[feature])}",
            sensitive=False,
        )
        for feature in needing
    ]
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
    return [*known, *scored]


def _eligible(models: list[Model]) -> pl.Expr:
    """Tell for whom one of the models can be computed."""
    statuses = sorted({model.status for model in models})
    return pl.any_horizontal(pl.col(status) != "ineligible" for status in statuses)
