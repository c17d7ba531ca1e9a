"""A patient's story: the dated events that a reviewer looks at, one row per event."""

from collections.abc import Mapping

import polars as pl

from schemas.published import Timeline, columns_of
from transforms.units import activity_mci, thyroglobulin_ng_ml

_PROCEDURE = {"near_total": "near-total thyroidectomy", "total": "total thyroidectomy"}


def story(tables: Mapping[str, pl.DataFrame], who: pl.DataFrame) -> pl.DataFrame:
    """Return the dated events of some patients: one row per event, in order of date.

    `who` has one row per patient: patient_no and the patient_id to publish. `tables` hold what
    is known as of tonight, with patients by number.
    """
    parts = [
        _rows(
            tables["diagnoses"], "diagnosis", "diagnosis_date", "diagnosis_id", _code("histology")
        ),
        _rows(
            tables["surgeries"],
            "surgery",
            "surgery_date",
            "surgery_id",
            pl.col("procedure").cast(pl.String).replace(_PROCEDURE).str.replace_all("_", " "),
        ),
        _rows(
            tables["i131_treatments"].with_columns(mci=activity_mci()),
            "131I",
            "treatment_date",
            "treatment_id",
            pl.format("uptake: {}", _code("lesion_uptake")),
            value=pl.col("mci"),
        ),
        _rows(
            tables["labs"].filter(pl.col("analyte") == "Tg").with_columns(ng=thyroglobulin_ng_ml()),
            "Tg",
            "sample_date",
            "lab_id",
            pl.format("{}stimulated: {}", _comparator(), _code("stimulated")),
            value=pl.col("ng"),
        ),
        _rows(
            tables["imaging"].filter(pl.col("modality") == "FDG_PETCT"),
            "PET/CT",
            "study_date",
            "study_id",
            pl.when("fdg_positive").then(pl.lit("read as positive")).otherwise(pl.lit("")),
            value=pl.col("suv_max"),
        ),
        _rows(tables["metastases"], "metastasis", "detected_date", "metastasis_id", _code("site")),
        _rows(tables["events"], "event", "event_date", "event_id", _code("type")),
        _rows(tables["reviews"], "review", "reviewed_at", None, _code("decision")),
        _rows(
            tables["patients"].filter(pl.col("death_date").is_not_null()),
            "death",
            "death_date",
            None,
            pl.lit("died"),
        ),
    ]
    sources = (
        *("diagnoses", "surgeries", "i131_treatments", "labs", "imaging", "metastases"),
        *("events", "reviews", "patients"),
    )
    named = [
        part.join(who.lazy(), on="patient_no").with_columns(source_table=pl.lit(source))
        for part, source in zip(parts, sources, strict=True)
    ]
    columns = columns_of(Timeline)
    return (
        pl.concat(
            part.select(pl.col(name).cast(dtype) for name, dtype in columns.items())
            for part in named
        )
        .sort("patient_id", "date", "kind", "source_row")
        .collect()
    )


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
            patient_no="patient_id",
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
