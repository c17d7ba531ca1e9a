"""Who the patient is: sex, ages, histology.

Ages in completed years: at the first diagnosis (Liu 2022, cut at 48) and at the index date
(Jin 2025, cut at 55). Null when a date is missing.

histology: of the first diagnosis. dtc: differentiated and without an undifferentiated component
(no ATC among the diagnoses); null when no histology is known. histology_group: PTC, FTC or PDTC
as in Jin 2025; null for the others, which the paper does not have.
Source: Liu 2022, Table 1; Jin 2025, Table 1 and Methods, "Patients".
"""

import polars as pl

from schemas.codes import DIFFERENTIATED, HISTOLOGY_GROUP
from transforms.variables.as_of import completed_years, first_rows


def demographics(
    patients: pl.LazyFrame, diagnoses: pl.LazyFrame, index: pl.LazyFrame
) -> pl.LazyFrame:
    """Return one row per patient.

    sex (null when unknown), centre, birth_date, diagnosis_date and diagnosis_row, histology,
    histology_group, dtc, age_at_diagnosis, age_48 and age_at_index, age_55.
    """
    histology = pl.col("histology").cast(pl.String)
    first = first_rows(diagnoses, "diagnosis_date", "diagnosis_id").select(
        "patient_no", "diagnosis_date", "histology", diagnosis_row="diagnosis_id"
    )
    undifferentiated = (
        diagnoses.filter(pl.col("histology") == "ATC")
        .select("patient_no", undifferentiated=pl.lit(True))
        .unique()
    )
    dtc = (
        pl.when(pl.col("undifferentiated").is_not_null())
        .then(False)
        .otherwise(histology.is_in(DIFFERENTIATED))
    )
    group = pl.when(histology.is_in(HISTOLOGY_GROUP)).then(histology)
    return (
        patients.join(first, on="patient_no", how="left")
        .join(undifferentiated, on="patient_no", how="left")
        .join(index.select("patient_no", "index_date"), on="patient_no", how="left")
        .with_columns(
            age_at_diagnosis=completed_years("birth_date", "diagnosis_date"),
            age_at_index=completed_years("birth_date", "index_date"),
        )
        .select(
            "patient_no",
            "centre",
            "birth_date",
            "diagnosis_date",
            "diagnosis_row",
            "age_at_diagnosis",
            "age_at_index",
            sex=pl.when(pl.col("sex") != "unknown").then(pl.col("sex").cast(pl.String)),
            histology=histology,
            histology_group=group.cast(pl.Enum(HISTOLOGY_GROUP)),
            dtc=dtc,
            age_48=_reaches("age_at_diagnosis", 48),
            age_55=_reaches("age_at_index", 55),
        )
    )


def _reaches(age: str, years: int) -> pl.Expr:
    return (
        pl.when(pl.col(age) >= years)
        .then(pl.lit("yes"))
        .when(pl.col(age) < years)
        .then(pl.lit("no"))
    )
