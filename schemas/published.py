"""What a night publishes beside features and scores. Names and types stay stable."""

from typing import Any

import pandera.polars as pa
import polars as pl

from schemas import codes
from schemas.features import Features
from schemas.fields import code, numbers, of, words
from schemas.scores import ModelScores
from schemas.worklist import RegistryList, Worklist

__all__ = [
    "PUBLISHED",
    "Criteria",
    "Features",
    "ModelScores",
    "Needs",
    "OnFile",
    "PatientRisk",
    "PatientsLeftOut",
    "Profile",
    "QiMeasures",
    "Quarantine",
    "RegistryList",
    "Timeline",
    "Worklist",
    "columns_of",
    "descriptions_of",
]


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
        "a criterion is met: the risk of meeting one is history, and no alarm", nullable=False
    )
    pfs_history: bool = of(
        "progressed or died: the risk of progression is history, and no alarm", nullable=False
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


class QiMeasures(pa.DataFrameModel):
    """One row per measure, centre (and all together), and period.

    What a measure asks, its exclusions and its source: `thyrisk measures`. Months and quarters are
    of all centres only. Counts are multiples of the setting `round_counts`, shares those of them.
    """

    measure: str = of("name of the measure", nullable=False)
    centre: str = of("treating centre; null for all together")
    period: pl.Enum = code(
        codes.PERIOD, "length of the period; recent: five years up to the night", nullable=False
    )
    start: pl.Date = of("first day of the period", nullable=False)
    numerator: pl.Int64 = of("patients or courses with the answer yes; null for a median")
    denominator: pl.Int64 = of("patients or courses with a known answer")
    unknown: pl.Int64 = of("patients or courses whose answer is unknown")
    value: float = of("share with the answer yes, or the median")
    unit: str = of("share, or the unit of the median", nullable=False)
    direction: str = of("which way is better: higher, lower, neither", nullable=False)
    suppressed: bool = of("left out: so few that a patient could be recognised", nullable=False)


class Timeline(pa.DataFrameModel):
    """One row per dated event of the patients whom the report shows."""

    patient_id: str = of("patient", nullable=False)
    date: pl.Date = of("date of the event", nullable=False)
    kind: pl.Enum = code(codes.TIMELINE, "kind of event", nullable=False)
    words: str = of("the event in words", nullable=False)
    value: float = of(
        "Tg, TSH or TgAb, activity, SUVmax, or the largest lung nodule, in the unit of the row"
    )
    unit: str = of("unit of the value: ng/mL, mIU/L, IU/mL, mCi, cm; null for SUVmax")
    analyte: pl.Enum = code(codes.ANALYTE, "what was measured in a sample")
    comparator: pl.Enum = code(codes.COMPARATOR, "comparator of the value")
    stimulated: pl.Enum = code(codes.STIMULATED, "whether a Tg is TSH-stimulated")
    tgab_positive: bool = of("TgAb-positive on the day of a Tg: it may be falsely low")
    uptake: pl.Enum = code(codes.LESION_UPTAKE, "uptake on the post-therapy scan of a course")
    course: pl.UInt16 = of("number of the course; null when that is unknown")
    cumulative_mci: float = of("activity of all courses up to this one, mCi; null when unknown")
    counts: bool = of("false: on file, and does not count for a missing variable", nullable=False)
    not_counted_reason: str = of("why it does not count")
    source_table: str = of("table of the export", nullable=False)
    source_row: str = of("identifier of the row in it")


class Criteria(pa.DataFrameModel):
    """Five rows per patient with DTC and 131I therapy: the RR-DTC criteria of Liu 2022."""

    patient_id: str = of("patient", nullable=False)
    criterion: pl.UInt8 = of("number of the criterion, 1 to 5", nullable=False)
    words: str = of("the criterion in words", nullable=False)
    state: pl.Enum = code(codes.CRITERION_STATE, "how it stands tonight", nullable=False)
    date: pl.Date = of("day on which it was met; a scan has the day of its course")
    evidence: str = of("what that rests on", nullable=False)
    source_table: str = of("table of the export that it rests on")
    source_row: str = of("identifier of the row in it")


class Needs(pa.DataFrameModel):
    """One row per patient and variable that would settle an undecided flag."""

    patient_id: str = of("patient", nullable=False)
    feature: str = of("the variable, as features name it", nullable=False)
    kind: pl.Enum = code(
        codes.NEED,
        "an examination that still counts, an old result to enter, or nothing any more",
        nullable=False,
    )
    what: str = of("what is to be examined or entered; why nothing can settle it", nullable=False)
    valid_from: pl.Date = of("first day from which it would count; null: any")
    valid_until: pl.Date = of("last day up to which it would count; null: any")
    decides: pl.List = words("the models whose flag it would settle", nullable=False)


class OnFile(pa.DataFrameModel):
    """One row per study or sample that is on file and does not count for a missing variable."""

    patient_id: str = of("patient", nullable=False)
    feature: str = of("the variable, as features name it", nullable=False)
    date: pl.Date = of("date of the study or sample")
    words: str = of("what it says", nullable=False)
    reason: str = of("why it does not count", nullable=False)
    source_table: str = of("table of the export", nullable=False)
    source_row: str = of("identifier of the row in it", nullable=False)


class Quarantine(pa.DataFrameModel):
    """One row per quarantined row, and per cell set aside, as it was received."""

    table: str = of("table", nullable=False)
    file: str = of("file of the export", nullable=False)
    line: pl.UInt32 = of("line of the file (row number, for parquet)", nullable=False)
    row_key: str = of("key of the row, as read")
    patient_id: str = of("patient, as read")
    cell: str = of("column of the cell set aside; null where the whole row is")
    not_yet: bool = of("set aside only because it is dated after the as-of date", nullable=False)
    reasons: pl.List = words("every reason, in words", nullable=False)
    original: str = of("the cells as they were received, as JSON; or the line itself")


class PatientsLeftOut(pa.DataFrameModel):
    """One row per identifier that is in no output, and per one that is likely another patient."""

    patient_id: str = of("identifier, as read", nullable=False)
    is_left_out: bool = of("whether this identifier is in no other output", nullable=False)
    likely_same_as: pl.List = words(
        "identifiers that differ only in case, width, leading zeros or unseen characters"
    )
    tables: pl.List = words("tables that name an identifier in no output", nullable=False)
    rows: pl.UInt32 = of("rows that name it", nullable=False)
    reasons: pl.List = words("every reason, in words", nullable=False)


class Profile(pa.DataFrameModel):
    """One row per figure of the night by which the next nights are judged."""

    what: str = of(
        "rows, rows_aside, rows_later (shares), filled (share of a column's cells), unit (share of "
        "a column's values), quantile_10, quantile_50, quantile_90, newest (days since 1970-01-01)",
        nullable=False,
    )
    where: str = of("table, column, analyte and unit", nullable=False)
    figure: float = of("the figure", nullable=False)
    of: pl.UInt32 = of("rows or values that it is of", nullable=False)


PUBLISHED: dict[str, type[pa.DataFrameModel]] = {
    "patient_risk": PatientRisk,
    "features": Features,
    "quarantine": Quarantine,
    "worklist": Worklist,
    "registry_list": RegistryList,
    "qi_measures": QiMeasures,
    "timeline": Timeline,
    "criteria": Criteria,
    "needs": Needs,
    "on_file": OnFile,
    "model_scores": ModelScores,
    "profile": Profile,
    "patients_left_out": PatientsLeftOut,
}
"""Every table that a night publishes, as NAME.parquet."""


def columns_of(model: type[pa.DataFrameModel]) -> dict[str, Any]:
    """Return the name and type of each column of a model, in order."""
    return {name: column.dtype.type for name, column in model.to_schema().columns.items()}


def descriptions_of(model: type[pa.DataFrameModel]) -> dict[str, str]:
    """Return the description of each column of a model."""
    return {name: column.description or "" for name, column in model.to_schema().columns.items()}
