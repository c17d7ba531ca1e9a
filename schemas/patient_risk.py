"""The result of a night for each patient: `patient_risk.parquet`."""

import pandera.polars as pa
import polars as pl

from schemas import codes
from schemas.fields import code, numbers, of, words


class PatientRisk(pa.DataFrameModel):
    """One row per patient: scores, bounds, risk, and what to review.

    Bounds: over every value that a missing predictor could take and, for probabilities and
    survival, over the interval of the inferred constants. A value without bounds in its name
    is null unless every predictor is known.
    """

    patient_id: str = of("patient", nullable=False)
    as_of: pl.Date = of("date as of which everything is computed", nullable=False)
    index_date: pl.Date = of("index date: date of the first 131I therapy")
    rrdtc_status: pl.Enum = code(
        codes.MODEL_STATUS, "RR-DTC models (Liu 2022): status", nullable=False
    )
    rrdtc_points: pl.Int32 = of("RR-DTC score, points (0 to 52)")
    rrdtc_points_lower: pl.Int32 = of("its lower bound")
    rrdtc_points_upper: pl.Int32 = of("its upper bound")
    rrdtc_flag: pl.Enum = code(codes.RISK, "risk of RR-DTC; high from 10 points", nullable=False)
    rrdtc_probability: float = of("probability of RR-DTC; its intercept is inferred")
    rrdtc_probability_lower: float = of("its lower bound")
    rrdtc_probability_upper: float = of("its upper bound")
    rrdtc_extrapolated: bool = of("outside what the RR-DTC models were developed on")
    rrdtc_reasons: pl.List = words(
        "RR-DTC models: why not scored, where extrapolated", nullable=False
    )
    rrdtc_met: bool = of("an RR-DTC criterion is already met; null unless DTC")
    rrdtc_reason: str = of("why it is unknown whether a criterion is met")
    rrdtc_criterion: pl.UInt8 = of(
        "RR-DTC type: of criteria 1 to 4 the first in time, 5 only where none of them holds"
    )
    rrdtc_met_date: pl.Date = of("earliest day on which any criterion held")
    os_status: pl.Enum = code(codes.MODEL_STATUS, "OS model (Jin 2025): status", nullable=False)
    os_points: float = of("OS nomogram points; the axes are inferred")
    os_points_lower: float = of("its lower bound")
    os_points_upper: float = of("its upper bound")
    os_risk_group: pl.Enum = code(
        codes.RISK, "OS risk group; high above 191 points", nullable=False
    )
    os_survival_3y: float = of("3-year overall survival; its baseline is inferred")
    os_survival_3y_lower: float = of("its lower bound")
    os_survival_3y_upper: float = of("its upper bound")
    os_survival_5y: float = of("5-year overall survival; its baseline is inferred")
    os_survival_5y_lower: float = of("its lower bound")
    os_survival_5y_upper: float = of("its upper bound")
    os_survival_10y: float = of("10-year overall survival; its baseline is inferred")
    os_survival_10y_lower: float = of("its lower bound")
    os_survival_10y_upper: float = of("its upper bound")
    os_extrapolated: bool = of("outside what the OS model was developed on")
    os_reasons: pl.List = words("OS model: why not scored, where extrapolated", nullable=False)
    pfs_status: pl.Enum = code(codes.MODEL_STATUS, "PFS model (Jin 2025): status", nullable=False)
    pfs_points: float = of("PFS nomogram points; the axes and two coefficients are inferred")
    pfs_points_lower: float = of("its lower bound")
    pfs_points_upper: float = of("its upper bound")
    pfs_risk_group: pl.Enum = code(
        codes.RISK, "PFS risk group; high above 67 points", nullable=False
    )
    pfs_survival_3y: float = of("3-year progression-free survival; its baseline is inferred")
    pfs_survival_3y_lower: float = of("its lower bound")
    pfs_survival_3y_upper: float = of("its upper bound")
    pfs_survival_5y: float = of("5-year progression-free survival; its baseline is inferred")
    pfs_survival_5y_lower: float = of("its lower bound")
    pfs_survival_5y_upper: float = of("its upper bound")
    pfs_survival_10y: float = of("10-year progression-free survival; its baseline is inferred")
    pfs_survival_10y_lower: float = of("its lower bound")
    pfs_survival_10y_upper: float = of("its upper bound")
    pfs_extrapolated: bool = of("outside what the PFS model was developed on")
    pfs_reasons: pl.List = words("PFS model: why not scored, where extrapolated", nullable=False)
    uptake_category: pl.Enum = code(codes.UPTAKE_CATEGORY, "131I uptake category", nullable=True)
    uptake_provisional: bool = of("fewer than two courses were assessed")
    tgab_interference: bool = of("TgAb-positive with the sTg: it may be falsely low")
    needs: pl.List = words("what would settle an indeterminate flag or risk group", nullable=False)
    needs_examination: pl.List = words(
        "examinations that still count, and until when", nullable=False
    )
    needs_entry: pl.List = words(
        "old results that only have to be entered, and of which days", nullable=False
    )
    needs_nothing: pl.List = words("what nothing can settle any more, and why", nullable=False)
    quarantined_rows: pl.UInt32 = of("rows of the patient that were quarantined", nullable=False)
    review_priority: pl.UInt8 = of("1 (first) to 6; null when there is nothing to review")
    review_reasons: pl.List = words("why to review, in words", nullable=False)
    changed_since_last: pl.List = words(
        "what differs from the last published night", nullable=False
    )
    newly_flagged: bool = of(
        "an RR-DTC criterion or a high risk that the last published night did not have",
        nullable=False,
    )
    review_status: pl.Enum = code(
        codes.REVIEW_STATUS,
        "whether the patient waits for a review, was reviewed, or was deferred",
        nullable=False,
    )
    waiting_since: pl.Date = of("date since which the patient waits for a review")
    reviewed_at: pl.Date = of("date of the last review")
    review_decision: pl.Enum = code(codes.REVIEW_DECISION, "decision of the last review")
    deferred_until: pl.Date = of("date on which a deferred patient comes back")
    reviewed_state: pl.List = words(
        "what the last reviewer saw of the columns that are watched for changes, as name=value"
    )
    changed_since_review: pl.List = words("what differs from what the last reviewer saw")
    episode_open: bool = of(
        "alive, DTC, disease known, not in complete response, not closed by a reviewer; null when "
        "that is unknown, and then treated as open"
    )
    not_listed_reason: str = of("why the patient is not on the worklist; null when listed")
    list: pl.Enum = code(
        codes.LIST,
        "where on the worklist: something became known, something changed since the review, a "
        "deferral has come, or open and never reviewed; null when not listed",
    )
    why_lead: str = of("why to review: what happened, and on which day")
    why_rest: str = of("what that rests on")
    reason_kind: pl.Enum = code(codes.REASON, "kind of the reason to review")
    reason_date: pl.Date = of("day of what happened")
    known_since: pl.Date = of("first night that knew it; null when the first night of all did")
    known_facts: pl.List = words("each reason on record, and since which night it is known")
    urgency_rule: pl.Enum = code(codes.URGENCY, "rule that places the patient on the worklist")
    last_contact_date: pl.Date = of("last date on which the patient was known to be alive")
    sites_today: str = of("metastasis sites that certainly are known tonight")
    tg_doubling_months: float = of(
        "doubling time of suppressed Tg since the last course, months; null where it does not rise"
    )
    tg_slope_n: pl.UInt16 = of("days with a value that the doubling time rests on")
    tg_slope_from: pl.Date = of("first of those days")
    tg_slope_to: pl.Date = of("last of those days")
    rrdtc_history: bool = of(
        "a criterion is met: the risk of meeting one is history, and no alarm; null when unknown"
    )
    pfs_history: bool = of(
        "progressed or died: the risk of progression is history, and no alarm; null when unknown"
    )
    os_survival_given_3y: float = of(
        "10-year overall survival of who has lived 3 years since the first 131I therapy; derived "
        "from the inferred baseline; null before 3 and from 5 years"
    )
    os_survival_given_5y: float = of(
        "10-year overall survival of who has lived 5 years since the first 131I therapy; derived "
        "from the inferred baseline; null before 5 and from 10 years"
    )
    rrdtc_points_possible: pl.List = numbers(
        "the values that the RR-DTC score can have; null when they are many"
    )
