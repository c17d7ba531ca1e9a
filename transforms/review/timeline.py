"""A patient's story: the dated events that a reviewer looks at, one row per event."""

from collections.abc import Mapping

import polars as pl

from schemas.published import Timeline, columns_of
from transforms.units import activity_mci, thyroglobulin_ng_ml

_PROCEDURE = {"near_total": "near-total thyroidectomy", "total": "total thyroidectomy"}


def story(tables: Mapping[str, pl.DataFrame], who: pl.DataFrame) -> pl.DataFrame:
    """Return the dated events of some patients: one row per event, in order of date.

    `who` has one row per patient: patient_no and the patient_id to publish. `tables` hold what
    is known as of tonight.
    """
    columns = columns_of(Timeline)
    told = [
        rows.join(who.lazy(), on="patient_no")
        .with_columns(
            source_table=pl.lit(table),
            counts=pl.lit(True),
            **{
                name: pl.lit(None)
                for name in columns.keys()
                - {"patient_id", "date", "kind", "words", "value", "source_table", "source_row"}
                - {"counts"}
            },
        )
        .select(pl.col(name).cast(dtype) for name, dtype in columns.items())
        for table, rows in _events(tables).items()
    ]
    return pl.concat(told).sort("patient_id", "date", "kind", "source_row").collect()


def _events(tables: Mapping[str, pl.DataFrame]) -> dict[str, pl.LazyFrame]:
    """Return the events of each table: one row per event."""
    labs, imaging, patients = tables["labs"], tables["imaging"], tables["patients"]
    uptake = pl.format("uptake: {}", _code("lesion_uptake"))
    stimulated = pl.format("{}stimulated: {}", _comparator(), _code("stimulated"))
    procedure = pl.col("procedure").cast(pl.String).replace(_PROCEDURE).str.replace_all("_", " ")
    reading = pl.when("fdg_positive").then(pl.lit("read as positive")).otherwise(pl.lit(""))
    return {
        "diagnoses": _rows(
            tables["diagnoses"], "diagnosis", "diagnosis_date", "diagnosis_id", _code("histology")
        ),
        "surgeries": _rows(tables["surgeries"], "surgery", "surgery_date", "surgery_id", procedure),
        "i131_treatments": _rows(
            tables["i131_treatments"],
            "131I",
            "treatment_date",
            "treatment_id",
            uptake,
            activity_mci(),
        ),
        "labs": _rows(
            labs.filter(pl.col("analyte") == "Tg"),
            "Tg",
            "sample_date",
            "lab_id",
            stimulated,
            thyroglobulin_ng_ml(),
        ),
        "imaging": _rows(
            imaging.filter(pl.col("modality") == "FDG_PETCT"),
            "PET/CT",
            "study_date",
            "study_id",
            reading,
            pl.col("suv_max"),
        ),
        "metastases": _rows(
            tables["metastases"].filter("found"),
            "metastasis",
            "detected_date",
            "metastasis_id",
            _code("site"),
        ),
        "events": _rows(
            tables["events"].filter("found"), "event", "event_date", "event_id", _code("type")
        ),
        "reviews": _rows(tables["reviews"], "review", "reviewed_at", None, _code("decision")),
        "patients": _rows(patients, "death", "death_date", None, pl.lit("died")),
    }


def _rows(
    table: pl.DataFrame,
    kind: str,
    when: str,
    row: str | None,
    words: pl.Expr,
    value: pl.Expr | None = None,
) -> pl.LazyFrame:
    return (
        table.lazy()
        .filter(pl.col(when).is_not_null())
        .select(
            "patient_no",
            date=when,
            kind=pl.lit(kind),
            words=words.fill_null("unknown"),
            value=pl.lit(None, dtype=pl.Float64) if value is None else value,
            source_row=pl.lit(None, dtype=pl.String) if row is None else pl.col(row),
        )
    )


def _code(column: str) -> pl.Expr:
    return pl.col(column).cast(pl.String).str.replace_all("_", " ").fill_null("not recorded")


def _comparator() -> pl.Expr:
    said = pl.col("comparator").cast(pl.String)
    return (
        pl.when(said.is_in(["<", "<=", ">", ">="])).then(said + pl.lit("; ")).otherwise(pl.lit(""))
    )
