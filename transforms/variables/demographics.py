"""Who the patient is: sex, ages, histology.

Ages in completed years: at the first diagnosis (Liu 2022, cut at 48) and at the index date
(Jin 2025, cut at 55). Where a date is a month or a year, an age is known if every day of it gives
the same, and the age group if every day falls on the same side of the cut.

histology: of the first diagnosis; null where it is unknown which was first and they differ.
dtc: differentiated and without an undifferentiated component (no ATC among the diagnoses); null
when the histology is unknown or a diagnosis that cannot be read may be ATC. histology_group: PTC,
FTC or PDTC as in Jin 2025; null for the others, which the paper does not have.
Source: Liu 2022, Table 1; Jin 2025, Table 1 and Methods, "Patients".
"""

import polars as pl

from schemas.codes import DIFFERENTIATED, HISTOLOGY_GROUP
from transforms.variables.as_of import completed_years, whole
from transforms.variables.evidence import Record, asked

TABLE = "diagnoses"


def first_diagnosis(record: Record) -> pl.LazyFrame:
    """Return one row per patient: the first diagnosis, and whether it is DTC.

    diagnosis_earliest, diagnosis_latest, diagnosis_date, diagnosis_row, histology, dtc,
    histology_unread (a diagnosis is there, and its histology is not).
    """
    rows = record.tables[TABLE]
    patients = record.tables["patients"].select("patient_no")
    hidden = (
        record.hidden_in(TABLE).group_by("patient_no").agg(hidden_earliest=pl.col("earliest").min())
    )
    days = (
        patients.join(
            rows.group_by("patient_no").agg(
                pl.col("earliest").min(), diagnosis_latest=pl.col("latest").min()
            ),
            on="patient_no",
            how="left",
        )
        .join(hidden, on="patient_no", how="left")
        .with_columns(diagnosis_earliest=pl.min_horizontal("earliest", "hidden_earliest"))
        .drop("earliest")
    )
    histology = pl.col("histology")
    may_be_first = rows.join(days, on="patient_no", how="inner").filter(
        pl.col("earliest") <= pl.col("diagnosis_latest"),
        (pl.col("hidden_earliest") > pl.col("diagnosis_latest")).fill_null(True),
    )
    agreed = (histology.n_unique() == 1) & (histology.null_count() == 0)
    first = may_be_first.group_by("patient_no").agg(
        histology=pl.when(agreed).then(histology.first()),
        diagnosis_row=pl.when(pl.len() == 1).then(pl.col("diagnosis_id").first()),
        none_differentiated=(
            ~histology.cast(pl.String).is_in(DIFFERENTIATED) & histology.is_not_null()
        ).all(),
    )
    may_be_atc = rows.filter(histology.is_null() | (histology == "ATC")).select(
        "patient_no", surely=(histology == "ATC").fill_null(False)
    )
    atc = asked(record, TABLE, patients, may_be_atc, until=pl.lit(record.as_of))
    differentiated = pl.col("histology").cast(pl.String).is_in(DIFFERENTIATED)
    return (
        days.join(first, on="patient_no", how="left")
        .join(atc, on="patient_no", how="left")
        .select(
            "patient_no",
            "diagnosis_earliest",
            "diagnosis_latest",
            "diagnosis_row",
            "histology",
            diagnosis_date=whole("diagnosis_earliest", "diagnosis_latest"),
            dtc=pl.when(pl.col("surely") | pl.col("none_differentiated"))
            .then(False)
            .when(~pl.col("maybe") & differentiated)
            .then(True),
        )
    )


def demographics(record: Record, diagnosis: pl.LazyFrame, index: pl.LazyFrame) -> pl.LazyFrame:
    """Return one row per patient.

    sex (null when unknown), centre, birth_date, death_date, died, last_contact_date, the columns
    of the first diagnosis, histology_group, age_at_diagnosis, age_48 and age_at_index, age_55.
    """
    histology = pl.col("histology").cast(pl.String)
    group = pl.when(histology.is_in(HISTOLOGY_GROUP)).then(histology)
    return (
        record.tables["patients"]
        .join(diagnosis, on="patient_no", how="left")
        .join(
            index.select("patient_no", "index_earliest", "index_latest"),
            on="patient_no",
            how="left",
        )
        .with_columns(
            youngest_48=completed_years("birth_latest", "diagnosis_earliest"),
            oldest_48=completed_years("birth_earliest", "diagnosis_latest"),
            youngest_55=completed_years("birth_latest", "index_earliest"),
            oldest_55=completed_years("birth_earliest", "index_latest"),
        )
        .select(
            "patient_no",
            "centre",
            "birth_date",
            "died",
            "death_date",
            "death_cause",
            "last_contact_date",
            "diagnosis_date",
            "diagnosis_row",
            "dtc",
            age_at_diagnosis=whole("youngest_48", "oldest_48"),
            age_at_index=whole("youngest_55", "oldest_55"),
            sex=pl.when(pl.col("sex") != "unknown").then(pl.col("sex").cast(pl.String)),
            histology=histology,
            histology_group=group.cast(pl.Enum(HISTOLOGY_GROUP)),
            age_48=_reaches("48", 48),
            age_55=_reaches("55", 55),
        )
    )


def _reaches(which: str, years: int) -> pl.Expr:
    return (
        pl.when(pl.col(f"youngest_{which}") >= years)
        .then(pl.lit("yes"))
        .when(pl.col(f"oldest_{which}") < years)
        .then(pl.lit("no"))
    )
