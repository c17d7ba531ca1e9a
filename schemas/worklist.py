"""What people work through: the reviewers' worklist, and the registry's list of corrections."""

import pandera.polars as pa
import polars as pl

from schemas import codes
from schemas.fields import code, of


class Worklist(pa.DataFrameModel):
    """One row per patient to review, in the order to look at them."""

    position: pl.UInt32 = of("place in the list, from 1", nullable=False)
    list: pl.Enum = code(
        codes.LIST,
        "something became known, something changed since the review, a deferral has come, or "
        "open and never reviewed",
        nullable=False,
    )
    patient_id: str = of("patient", nullable=False)
    sex: pl.Enum = code(("female", "male"), "sex; null when unknown")
    age: pl.Int16 = of("completed years as of tonight")
    histology: pl.Enum = code(codes.HISTOLOGY, "histology of the first diagnosis")
    sites: str = of("metastasis sites that certainly are known tonight")
    centre: str = of("treating centre")
    last_contact_date: pl.Date = of("last date on which the patient was known to be alive")
    urgency_rule: pl.Enum = code(codes.URGENCY, "rule that places the patient here", nullable=False)
    why_lead: str = of("why to review: what happened, and on which day", nullable=False)
    why_rest: str = of("what that rests on", nullable=False)
    reason_kind: pl.Enum = code(codes.REASON, "kind of the reason to review", nullable=False)
    reason_date: pl.Date = of("day of what happened")
    known_since: pl.Date = of("first night that knew it; null when the first night of all did")
    todo_kind: pl.Enum = code(
        codes.TODO,
        "what can still be done: an examination, the entry of an old result, nothing any more, or "
        "nothing is missing",
        nullable=False,
    )
    todo_what: str = of("what is to be examined or entered; why nothing can be")
    valid_from: pl.Date = of("first day from which it would count; null: any")
    valid_until: pl.Date = of("last day up to which it would count; null: any")
    decides: str = of("the models whose flag it would settle")
    review_priority: pl.UInt8 = of("number of the urgency rule, 1 (first) to 6", nullable=False)
    review_reasons: str = of("every reason to review", nullable=False)
    rrdtc_flag: pl.Enum = code(codes.RISK, "risk of RR-DTC", nullable=False)
    rrdtc_points_lower: pl.Int32 = of("lower bound of the RR-DTC score")
    rrdtc_points_upper: pl.Int32 = of("upper bound of the RR-DTC score")
    os_risk_group: pl.Enum = code(codes.RISK, "OS risk group", nullable=False)
    pfs_risk_group: pl.Enum = code(codes.RISK, "PFS risk group", nullable=False)
    rrdtc_met_date: pl.Date = of("date from which an RR-DTC criterion holds")
    needs: str = of("what would settle an indeterminate flag", nullable=False)
    needs_examination: str = of("examinations that still count, and until when", nullable=False)
    needs_entry: str = of("old results to enter, and of which days", nullable=False)
    changed_since_last: str = of("what differs from the last night", nullable=False)
    newly_flagged: bool = of("flagged tonight, not in the last night", nullable=False)
    waiting_since: pl.Date = of("date since which the patient waits for a review")
    reviewed_at: pl.Date = of("date of the last review")
    review_decision: pl.Enum = code(codes.REVIEW_DECISION, "decision of the last review")
    deferred_until: pl.Date = of("date until which the review was deferred")
    changed_since_review: str = of("what differs from what the last reviewer saw")
    quarantined_rows: pl.UInt32 = of("rows of the patient that were quarantined", nullable=False)


class RegistryList(pa.DataFrameModel):
    """One row per correction for the registry's data manager, those that unlock most first."""

    group: str = of("kind of correction, in words", nullable=False)
    table: str = of("table of the export", nullable=False)
    column: str = of("column to correct; null where it is a whole row")
    file: str = of("file of the export; null where nothing was set aside")
    line: pl.UInt32 = of("line of the file (row number, for parquet)")
    row_key: str = of("key of the row, as read")
    patient_id: str = of("patient, as read")
    reason: str = of("what is missing, contradictory or was set aside", nullable=False)
    unlocks: str = of("what the correction would settle")
    patients: pl.UInt32 = of("patients whom the group would unlock", nullable=False)
