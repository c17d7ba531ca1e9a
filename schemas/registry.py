"""The registry export: one pandera model per table, as it must be after validation.

Cells arrive as text. `transforms.reading` reads them into these types; `schemas.contracts`
adds, to each model, the checks that need the received text or the patient's own dates.
The description of a field is what `thyrisk schema` prints.
"""

from dataclasses import dataclass
from typing import Any

import pandera.polars as pa
import polars as pl

from schemas import codes


def _text(description: str, *, required: bool = False) -> Any:
    return pa.Field(nullable=not required, description=description)


def _date(description: str, *, required: bool = False) -> Any:
    return pa.Field(nullable=not required, description=description)


def _code(values: tuple[str, ...], description: str, *, required: bool = False) -> Any:
    return pa.Field(
        nullable=not required,
        description=f"{description} ({', '.join(values)})",
        dtype_kwargs={"categories": list(values)},
    )


def _number(description: str, low: float, high: float, unit: str | None = None) -> Any:
    """Declare a number; `unit` names the column that holds its unit."""
    return pa.Field(
        nullable=True,
        description=description,
        metadata={"low": low, "high": high, "unit": unit},
    )


class Patients(pa.DataFrameModel):
    """One row per patient."""

    patient_id: str = _text("the registry's identifier of the patient", required=True)
    sex: pl.Enum = _code(codes.SEX, "sex")
    birth_date: pl.Date = _date("date of birth")
    death_date: pl.Date = _date("date of death; empty while alive or unknown")
    death_cause: pl.Enum = _code(codes.DEATH_CAUSE, "cause of death")
    last_contact_date: pl.Date = _date("last date on which the patient was known to be alive")
    centre: str = _text("treating centre")


class Diagnoses(pa.DataFrameModel):
    """One row per diagnosis of thyroid cancer."""

    diagnosis_id: str = _text("identifier of the diagnosis", required=True)
    patient_id: str = _text("patient", required=True)
    diagnosis_date: pl.Date = _date("date of diagnosis", required=True)
    histology: pl.Enum = _code(codes.HISTOLOGY, "histology")
    t: str = _text("T category")
    n: str = _text("N category")
    m: str = _text("M category")
    stage: str = _text("clinical stage")
    tumour_size: float = _number("largest tumour diameter", 0, 300, "tumour_size_unit")
    tumour_size_unit: pl.Enum = _code(codes.LENGTH_UNIT, "unit of tumour_size")
    extrathyroidal_extension: str = _text("extrathyroidal extension")
    multifocal: str = _text("multifocal tumour")
    autoimmune_thyroid_disease: str = _text("autoimmune thyroid disease")
    recurrence_risk: str = _text("recurrence risk group")


class Surgeries(pa.DataFrameModel):
    """One row per operation."""

    surgery_id: str = _text("identifier of the operation", required=True)
    patient_id: str = _text("patient", required=True)
    surgery_date: pl.Date = _date("date of the operation", required=True)
    procedure: pl.Enum = _code(codes.PROCEDURE, "procedure", required=True)


class I131Treatments(pa.DataFrameModel):
    """One row per course of 131I therapy."""

    treatment_id: str = _text("identifier of the course", required=True)
    patient_id: str = _text("patient", required=True)
    treatment_date: pl.Date = _date("date on which the activity was given", required=True)
    activity: float = _number("administered activity", 0, 50_000, "activity_unit")
    activity_unit: pl.Enum = _code(codes.ACTIVITY_UNIT, "unit of activity")
    intent: str = _text("intent of the course")
    lesion_uptake: pl.Enum = _code(
        codes.LESION_UPTAKE, "131I uptake of the lesions on the post-therapy scan"
    )


class Labs(pa.DataFrameModel):
    """One row per laboratory result."""

    lab_id: str = _text("identifier of the result", required=True)
    patient_id: str = _text("patient", required=True)
    sample_date: pl.Date = _date("date of sampling", required=True)
    analyte: pl.Enum = _code(codes.ANALYTE, "analyte", required=True)
    comparator: pl.Enum = _code(codes.COMPARATOR, "comparator of the value")
    value: float = _number("result", 0, 10_000_000, "unit")
    unit: pl.Enum = _code(codes.LAB_UNIT, "unit of value")
    stimulated: pl.Enum = _code(codes.STIMULATED, "sampled under TSH stimulation")


class Imaging(pa.DataFrameModel):
    """One row per imaging study."""

    study_id: str = _text("identifier of the study", required=True)
    patient_id: str = _text("patient", required=True)
    study_date: pl.Date = _date("date of the study", required=True)
    modality: pl.Enum = _code(codes.MODALITY, "modality", required=True)
    suv_max: float = _number("highest SUVmax of the lesions", 0, 500)
    fdg_positive: bool = pa.Field(
        nullable=True, description="PET/CT read as positive (yes, no; empty when not recorded)"
    )
    largest_lung_nodule: float = _number(
        "largest diameter of the largest lung nodule", 0, 500, "largest_lung_nodule_unit"
    )
    largest_lung_nodule_unit: pl.Enum = _code(codes.LENGTH_UNIT, "unit of largest_lung_nodule")
    recist: pl.Enum = _code(codes.RECIST, "RECIST 1.1 response at the study")


class Metastases(pa.DataFrameModel):
    """One row per metastatic site found."""

    metastasis_id: str = _text("identifier of the finding", required=True)
    patient_id: str = _text("patient", required=True)
    detected_date: pl.Date = _date("date on which the site was found", required=True)
    site: pl.Enum = _code(codes.SITE, "site", required=True)
    basis: str = _text("what the finding rests on")


class Events(pa.DataFrameModel):
    """One row per recurrence or progression."""

    event_id: str = _text("identifier of the event", required=True)
    patient_id: str = _text("patient", required=True)
    event_date: pl.Date = _date("date of the event", required=True)
    type: pl.Enum = _code(codes.EVENT, "type of the event", required=True)
    basis: str = _text("what the event rests on")


@dataclass(frozen=True)
class Table:
    """A table of the export: its name, contract, key and the date that as-of looks at."""

    name: str
    model: type[pa.DataFrameModel]
    key: str
    date: str | None
    not_before_diagnosis: bool = False
    optional: frozenset[str] = frozenset()
    """Columns that no variable is derived from: an export may lack them."""

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
        Table("patients", Patients, "patient_id", None, optional=frozenset({"death_cause"})),
        Table(
            "diagnoses",
            Diagnoses,
            "diagnosis_id",
            "diagnosis_date",
            optional=frozenset(
                set(Diagnoses.to_schema().columns)
                - {"diagnosis_id", "patient_id", "diagnosis_date", "histology"}
            ),
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
        Table("labs", Labs, "lab_id", "sample_date"),
        Table("imaging", Imaging, "study_id", "study_date"),
        Table("metastases", Metastases, "metastasis_id", "detected_date", optional=_BASIS),
        Table("events", Events, "event_id", "event_date", optional=_BASIS),
    )
}
"""Every table of the export, in the order in which a night reads them."""

EVENT_TABLES = {name: table for name, table in TABLES.items() if table.date is not None}
