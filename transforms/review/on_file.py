"""What is on file near a missing variable and does not count, with the reason.

For patients whose FDG uptake, stimulated Tg or lung nodule is unknown: the studies and samples that
they have, how far they are from the window, and what they lack.
"""

import polars as pl

from schemas.published import OnFile, columns_of
from transforms.reading.quarantine import CELL_ASIDE
from transforms.units import length_cm, thyroglobulin_ng_ml
from transforms.variables.evidence import Record
from transforms.variables.windows import Windows


def on_file(record: Record, derived: pl.DataFrame, windows: Windows) -> pl.DataFrame:
    """Return one row per study or sample that does not count, of a variable that is missing."""
    patients = derived.lazy().select(
        "patient_no", "patient_id", "index_date", "fdg_uptake", "stg_500", "nodule_cm"
    )
    fdg = f"the window is {windows.fdg_days} days before to {windows.fdg_days} after"
    tg = f"the window is the {windows.stg_days} days before"
    before, after = windows.nodule_days_before, windows.nodule_days_after
    ct = f"the window is {before} days before to {after} after"
    imaging, labs = record.tables["imaging"], record.tables["labs"]
    suv = pl.col("suv_max")
    size = length_cm("largest_lung_nodule", "largest_lung_nodule_unit")
    value = thyroglobulin_ng_ml()
    parts = [
        _rows(
            imaging.filter(pl.col("modality") == "FDG_PETCT"),
            patients.filter(pl.col("fdg_uptake").is_null()),
            "fdg_uptake",
            ("imaging", "study_date", "study_id"),
            pl.coalesce(pl.format("PET/CT, SUVmax {}", suv), pl.lit("PET/CT without SUVmax")),
            (-windows.fdg_days, windows.fdg_days, fdg),
        ),
        _rows(
            labs.filter(pl.col("analyte") == "Tg", pl.col("stimulated") != "no"),
            patients.filter(pl.col("stg_500").is_null()),
            "stg_500",
            ("labs", "sample_date", "lab_id"),
            pl.coalesce(
                pl.format("Tg {}{} ng/mL", _comparator(), value),
                pl.lit("Tg without a usable value"),
            ),
            (-windows.stg_days, 0, tg),
        ),
        _rows(
            imaging.filter(
                pl.col("modality") == "CT",
                size.is_not_null() | pl.col(CELL_ASIDE + "largest_lung_nodule"),
            ),
            patients.filter(pl.col("nodule_cm").is_null()),
            "nodule_cm",
            ("imaging", "study_date", "study_id"),
            pl.coalesce(pl.format("CT, nodule {} cm", size), pl.lit("CT, nodule without a size")),
            (-before, after, ct),
        ),
    ]
    return (
        pl.concat(parts)
        .sort("patient_id", "feature", "date", "source_row")
        .select(pl.col(name).cast(dtype) for name, dtype in columns_of(OnFile).items())
        .collect()
    )


def _comparator() -> pl.Expr:
    said = pl.col("comparator").cast(pl.String)
    return (
        pl.when(said.is_null())
        .then(pl.lit("of unknown comparator, "))
        .otherwise(said.replace("=", ""))
    )


def _rows(
    rows: pl.LazyFrame,
    patients: pl.LazyFrame,
    feature: str,
    source: tuple[str, str, str],
    what: pl.Expr,
    window: tuple[int, int, str],
) -> pl.LazyFrame:
    table, when, key = source
    first, last, words = window
    days = (pl.col(when) - pl.col("index_date")).dt.total_days()
    far = pl.format(
        f"{{}} days {{}} the first 131I therapy; {words}",
        days.abs(),
        pl.when(days < 0).then(pl.lit("before")).otherwise(pl.lit("after")),
    )
    reason = (
        pl.when(pl.col(when).is_null())
        .then(pl.lit("without a whole date"))
        .when(pl.col("index_date").is_null())
        .then(pl.lit("the date of the first 131I therapy is unknown"))
        .when(~days.is_between(first, last))
        .then(far)
        .otherwise(pl.lit("in the window; it cannot be read, or something else may count instead"))
    )
    return rows.join(patients, on="patient_no").select(
        "patient_id",
        feature=pl.lit(feature),
        date=pl.col(when),
        words=what,
        reason=reason,
        source_table=pl.lit(table),
        source_row=pl.col(key),
    )
