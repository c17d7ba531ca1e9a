"""What a night publishes beside features and scores. Names and types stay stable."""

from collections.abc import Mapping
from typing import Any

import pandera.polars as pa
import polars as pl

from schemas import codes
from schemas.features import Features
from schemas.fields import code, of, words
from schemas.patient_risk import PatientRisk
from schemas.scores import ModelScores
from schemas.worklist import RegistryList, Worklist

__all__ = [
    "PUBLISHED",
    "Criteria",
    "Features",
    "GivenReviews",
    "Ledger",
    "ModelScores",
    "Needs",
    "OnFile",
    "PatientRisk",
    "PatientsLeftOut",
    "Predictors",
    "Profile",
    "QiMeasures",
    "Quarantine",
    "RegistryList",
    "Timeline",
    "Worklist",
    "columns_of",
    "descriptions_of",
]


class QiMeasures(pa.DataFrameModel):
    """One row per measure, centre (and all together), and period.

    What a measure asks, its exclusions and its source: `thyrisk measures`. Months, quarters and
    years are of all centres only. Counts are multiples of the setting `round_counts`, shares those
    of them. Of a wait the median is a survival estimate (Kaplan-Meier), and the unknown still wait.
    """

    measure: str = of("name of the measure", nullable=False)
    centre: str = of("treating centre; null for all together")
    period: pl.Enum = code(
        codes.PERIOD,
        "length of the period; recent: from 1 January five years before the night",
        nullable=False,
    )
    start: pl.Date = of("first day of the period", nullable=False)
    numerator: pl.Int64 = of("patients or courses with the answer yes; null for a median")
    denominator: pl.Int64 = of("patients or courses with a known answer")
    unknown: pl.Int64 = of("patients or courses whose answer is unknown")
    value: float = of("share with the answer yes, or the median")
    lower: float = of("lower limit of the 95 % interval of the value; null where there is none")
    upper: float = of("its upper limit")
    unit: str = of("share, or the unit of the median", nullable=False)
    direction: str = of("which way is better: higher, lower, neither", nullable=False)
    suppressed: bool = of("left out: so few that a patient could be recognised", nullable=False)
    target: float = of("what the registry aims at (setting `targets`)")
    charted: bool = of(
        "a point of the measure's chart: of all centres, in the shortest periods that hold enough, "
        "and ended",
        nullable=False,
    )
    centre_line: float = of("centre of the chart: overall share or mean; a short series' median")
    limit_lower: float = of("lower limit of the chart; null for a short series")
    limit_upper: float = of("upper limit of the chart")
    signal: str = of("what the point is part of: better, worse, different; null: chance")
    rule: str = of("the rule of the chart that says so")
    run_start: pl.Date = of("first period of the run that the rule is about")
    periods_hidden: pl.UInt32 = of("periods of the chart that are left out")


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


class GivenReviews(pa.DataFrameModel):
    """One row per review that was ever given of a patient, as far as it was known tonight."""

    patient_id: str = of("patient", nullable=False)
    reviewed_at: pl.Date = of("date of the review", nullable=False)
    reviewed_time: pl.Time = of("time of day, where it was told")
    reviewer: str = of("who reviewed: a role or initials")
    decision: pl.Enum = code(codes.REVIEW_DECISION, "what was decided", nullable=False)
    reason: pl.Enum = code(codes.DISMISSAL, "why a patient was dismissed")
    deferred_until: pl.Date = of("date on which a deferred patient comes back")
    note: str = of("note; left out under pseudonyms, as it may name somebody")
    source: pl.Enum = code(codes.REVIEW_SOURCE, "how the review came", nullable=False)
    listed_for: str = of(
        "kind of the reason for which the patient was on the worklist that the reviewer saw, "
        "not_listed when on none; null when that night is gone"
    )
    waiting_since: pl.Date = of("date since which the patient had waited then")


class Predictors(pa.DataFrameModel):
    """One row per patient whom a model is for, model, and predictor of the model."""

    patient_id: str = of("patient", nullable=False)
    model: str = of("name of the model", nullable=False)
    predictor: str = of("name of the predictor in it", nullable=False)
    value: str = of("its value, as text; null when missing")
    points: float = of("the points that it brings; null when missing")


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


class Ledger(pa.DataFrameModel):
    """One row per record of a mapping's sources and rule that reads it; empty without sources.

    A record that several rules read has a row for each; one that no rule reads has one row. Rows
    = loaded + quarantined + duplicates. Under pseudonyms without row_keys and text.
    """

    source: str = of("source of the mapping; the table, where a file is named after it")
    file: str = of("file of the export", nullable=False)
    record: pl.UInt32 = of("line, row or number of the record in the file", nullable=False)
    table: str = of("table that the rule makes rows of; null where no rule reads the record")
    rule: str = of("name of the rule")
    fate: pl.Enum = code(
        codes.FATE,
        "emitted as rows; merged into another record; left_out by a rule; rejected: no row can "
        "be made of it, and it is in quarantine",
        nullable=False,
    )
    rows: pl.UInt32 = of("rows of the table that it became", nullable=False)
    rows_loaded: pl.UInt32 = of("of these, loaded", nullable=False)
    rows_quarantined: pl.UInt32 = of("of these, quarantined", nullable=False)
    rows_duplicate: pl.UInt32 = of("of these, exact duplicates of other rows", nullable=False)
    row_keys: pl.List = words("keys of its rows that are no duplicates", nullable=False)
    into_file: str = of("file of the record that it was merged into")
    into_record: pl.UInt32 = of("that record; of one that several joined, the first")
    reason: str = of("condition that left it out, or why it was merged or rejected")
    text: str = of("what was received, where it was rejected")


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
    "reviews": GivenReviews,
    "model_scores": ModelScores,
    "predictors": Predictors,
    "profile": Profile,
    "patients_left_out": PatientsLeftOut,
    "ledger": Ledger,
}
"""Every table that a night publishes, as NAME.parquet."""


def columns_of(model: type[pa.DataFrameModel]) -> dict[str, Any]:
    """Return the name and type of each column of a model, in order."""
    return {name: column.dtype.type for name, column in model.to_schema().columns.items()}


def descriptions_of(model: type[pa.DataFrameModel], windows: Mapping[str, float]) -> dict[str, str]:
    """Return the description of each column of a model, with the windows that are in force."""
    return {
        name: (column.description or "").format_map(windows)
        for name, column in model.to_schema().columns.items()
    }
