"""The registry export: one pandera model per table, as it must be after validation.

Cells arrive as text. `transforms.reading.cells` reads them into these types; `schemas.contracts`
adds, to each model, the checks that need the received text or the patient's own dates.
The description of a field is what `thyrisk schema` prints.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pandera.polars as pa
import polars as pl

from schemas import codes
from schemas.fields import code, of


def _number(description: str, unit: str | None = None) -> Any:
    """Declare a number; `unit` names the column that holds its unit. Limits: schemas.ranges."""
    return pa.Field(nullable=True, description=description, metadata={"unit": unit})


class Patients(pa.DataFrameModel):
    """One row per patient."""

    patient_id: str = of("the registry's identifier of the patient", nullable=False)
    sex: pl.Enum = code(codes.SEX, "sex")
    birth_date: pl.Date = of("date of birth")
    death_date: pl.Date = of("date of death; empty while alive or unknown")
    death_cause: pl.Enum = code(codes.DEATH_CAUSE, "cause of death")
    last_contact_date: pl.Date = of("last date on which the patient was known to be alive")
    centre: str = of("treating centre")


class Diagnoses(pa.DataFrameModel):
    """One row per diagnosis of thyroid cancer."""

    diagnosis_id: str = of("identifier of the diagnosis", nullable=False)
    patient_id: str = of("patient", nullable=False)
    diagnosis_date: pl.Date = of("date of diagnosis", nullable=False)
    histology: pl.Enum = code(codes.HISTOLOGY, "histology")
    t: str = of("T category")
    n: str = of("N category")
    m: str = of("M category")
    stage: str = of("clinical stage")
    tumour_size: float = _number("largest tumour diameter", "tumour_size_unit")
    tumour_size_unit: pl.Enum = code(codes.LENGTH_UNIT, "unit of tumour_size")
    extrathyroidal_extension: str = of("extrathyroidal extension")
    multifocal: str = of("multifocal tumour")
    autoimmune_thyroid_disease: str = of("autoimmune thyroid disease")
    recurrence_risk: str = of("recurrence risk group")


class Surgeries(pa.DataFrameModel):
    """One row per operation."""

    surgery_id: str = of("identifier of the operation", nullable=False)
    patient_id: str = of("patient", nullable=False)
    surgery_date: pl.Date = of("date of the operation", nullable=False)
    procedure: pl.Enum = code(codes.PROCEDURE, "procedure", nullable=False)


class I131Treatments(pa.DataFrameModel):
    """One row per course of 131I therapy."""

    treatment_id: str = of("identifier of the course", nullable=False)
    patient_id: str = of("patient", nullable=False)
    treatment_date: pl.Date = of("date on which the activity was given", nullable=False)
    activity: float = _number("administered activity", "activity_unit")
    activity_unit: pl.Enum = code(codes.ACTIVITY_UNIT, "unit of activity")
    intent: str = of("intent of the course")
    lesion_uptake: pl.Enum = code(
        codes.LESION_UPTAKE, "131I uptake of the lesions on the post-therapy scan"
    )


class Labs(pa.DataFrameModel):
    """One row per laboratory result."""

    lab_id: str = of("identifier of the result", nullable=False)
    patient_id: str = of("patient", nullable=False)
    sample_date: pl.Date = of("date of sampling", nullable=False)
    analyte: pl.Enum = code(codes.ANALYTE, "analyte", nullable=False)
    comparator: pl.Enum = code(codes.COMPARATOR, "comparator of the value")
    value: float = _number("result", "unit")
    unit: pl.Enum = code(codes.LAB_UNIT, "unit of value")
    stimulated: pl.Enum = code(codes.STIMULATED, "sampled under TSH stimulation")


class Imaging(pa.DataFrameModel):
    """One row per imaging study."""

    study_id: str = of("identifier of the study", nullable=False)
    patient_id: str = of("patient", nullable=False)
    study_date: pl.Date = of("date of the study", nullable=False)
    modality: pl.Enum = code(codes.MODALITY, "modality", nullable=False)
    suv_max: float = _number("highest SUVmax of the lesions")
    fdg_positive: bool = pa.Field(
        nullable=True, description="PET/CT read as positive (yes, no; empty when not recorded)"
    )
    largest_lung_nodule: float = _number(
        "largest diameter of the largest lung nodule", "largest_lung_nodule_unit"
    )
    largest_lung_nodule_unit: pl.Enum = code(codes.LENGTH_UNIT, "unit of largest_lung_nodule")
    recist: pl.Enum = code(codes.RECIST, "RECIST 1.1 response at the study")


class Metastases(pa.DataFrameModel):
    """One row per metastatic site found, or looked for and not found."""

    metastasis_id: str = of("identifier of the finding", nullable=False)
    patient_id: str = of("patient", nullable=False)
    detected_date: pl.Date = of("date on which the site was found", nullable=False)
    site: pl.Enum = code(codes.SITE, "site", nullable=False)
    basis: str = of("what the finding rests on")
    found: bool = of("whether it was found (yes), or looked for and not there (no)")


class Events(pa.DataFrameModel):
    """One row per recurrence or progression, or per day on which there was none so far."""

    event_id: str = of("identifier of the event", nullable=False)
    patient_id: str = of("patient", nullable=False)
    event_date: pl.Date = of("date of the event", nullable=False)
    type: pl.Enum = code(codes.EVENT, "type of the event", nullable=False)
    basis: str = of("what the event rests on")
    found: bool = of("whether it happened (yes), or was looked for and had not (no)")


class Reviews(pa.DataFrameModel):
    """One row per review of a patient on the worklist."""

    patient_id: str = of("patient, as the worklist names them", nullable=False)
    reviewed_at: pl.Date = of("date of the review; a time of day is not looked at", nullable=False)
    reviewer: str = of("who reviewed: a role or initials, no name")
    decision: pl.Enum = code(codes.REVIEW_DECISION, "what was decided", nullable=False)
    reason: pl.Enum = code(codes.DISMISSAL, "why a patient was dismissed")
    deferred_until: pl.Date = of("date on which a deferred patient comes back")
    note: str = of("note; names no patient")


@dataclass(frozen=True)
class Table:
    """A table of the export: its name, contract, key and the date that as-of looks at."""

    name: str
    model: type[pa.DataFrameModel]
    key: str | None
    """The column that tells its rows apart; None where only the whole row does."""
    date: str | None
    required: bool = True
    """Whether an export without it is refused."""
    says_what: str | None = None
    """The column that says what a row is: without it the row can be used for nothing."""
    may_follow_death: bool = False
    not_before_diagnosis: bool = False
    optional: frozenset[str] = frozenset()
    """Columns that no variable is derived from: an export may lack them."""
    empty_answers: frozenset[str] = frozenset()
    """Columns in which an empty cell is an answer (alive, not assessed, not measured)."""
    absent: Mapping[str, str] = field(default_factory=dict)
    """What every row says where the export has no such column at all."""

    @property
    def identifies(self) -> frozenset[str]:
        """The columns without which a row is quarantined; of any other, only the cell is aside."""
        if self.key is None:
            return frozenset(self.needed)
        return frozenset({"patient_id", self.key, self.says_what or "patient_id"})

    @property
    def schema(self) -> pa.DataFrameSchema:
        """The model as a pandera schema object."""
        return self.model.to_schema()

    @property
    def columns(self) -> tuple[str, ...]:
        """Column names in the order of the contract."""
        return tuple(self.schema.columns)

    @property
    def needed(self) -> tuple[str, ...]:
        """The columns that variables are derived from, or outputs show."""
        return tuple(name for name in self.columns if name not in self.optional)


_BASIS = frozenset({"basis"})

TABLES: dict[str, Table] = {
    table.name: table
    for table in (
        Table(
            "patients",
            Patients,
            "patient_id",
            None,
            absent={"death_cause": ""},
            empty_answers=frozenset({"death_date", "death_cause"}),
        ),
        Table(
            "diagnoses",
            Diagnoses,
            "diagnosis_id",
            "diagnosis_date",
            optional=frozenset(
                set(Diagnoses.to_schema().columns)
                - {"diagnosis_id", "patient_id", "diagnosis_date", "histology", "m"}
            ),
            absent={"m": ""},
        ),
        Table("surgeries", Surgeries, "surgery_id", "surgery_date", not_before_diagnosis=True),
        Table(
            "i131_treatments",
            I131Treatments,
            "treatment_id",
            "treatment_date",
            not_before_diagnosis=True,
            optional=frozenset({"intent"}),
        ),
        Table(
            "labs",
            Labs,
            "lab_id",
            "sample_date",
            says_what="analyte",
            empty_answers=frozenset({"value"}),
        ),
        Table(
            "imaging",
            Imaging,
            "study_id",
            "study_date",
            says_what="modality",
            empty_answers=frozenset({"suv_max", "fdg_positive", "largest_lung_nodule", "recist"}),
        ),
        Table(
            "metastases",
            Metastases,
            "metastasis_id",
            "detected_date",
            says_what="site",
            optional=_BASIS,
            absent={"found": "yes"},
        ),
        Table(
            "events",
            Events,
            "event_id",
            "event_date",
            says_what="type",
            optional=_BASIS,
            absent={"found": "yes"},
        ),
        Table(
            "reviews",
            Reviews,
            None,
            "reviewed_at",
            required=False,
            may_follow_death=True,
            optional=frozenset({"reviewer", "reason", "note"}),
        ),
    )
}
"""Every table of the export, in the order in which a night reads them."""

EVENT_TABLES = {name: table for name, table in TABLES.items() if table.date is not None}
