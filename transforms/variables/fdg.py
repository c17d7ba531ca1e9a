"""18F-FDG uptake of the lesions near the first 131I therapy (Liu 2022).

positive: a PET/CT within 7 days of the index date with SUVmax >= 2.5, and read as positive
where the reading is recorded. negative: such PET/CTs exist and none can be positive. Null: no
PET/CT in the window, or one that could be positive but lacks SUVmax or its reading.
Source: Liu 2022, Methods: "visually perceptible ... and SUVmax was >= 2.5"; PET/CT less than a
week from the start of treatment.
"""

import polars as pl

from transforms.reading.quarantine import CELL_ASIDE
from transforms.variables.as_of import days_between, whole
from transforms.variables.evidence import Record, asked, first_if_certain
from transforms.variables.windows import Windows

TABLE = "imaging"


def fdg_uptake(record: Record, index: pl.LazyFrame, windows: Windows) -> pl.LazyFrame:
    """Return one row per patient with a first 131I therapy, or who may have had one.

    fdg_uptake (positive, negative, null), fdg_suv_max, fdg_date and fdg_row: the study that
    decides, which is a positive one if there is one, else the nearest.
    """
    patients = index.select("patient_no", "index_earliest", "index_latest")
    near = _near(record, patients, windows)
    some = near.filter("in_window").group_by("patient_no").agg(has_study=pl.lit(True).first())
    rows = near.filter("may_be_positive").with_columns(
        surely=pl.col("in_window") & pl.col("positive")
    )
    window = f"{windows.fdg_days}d"
    answer = asked(
        record,
        TABLE,
        patients,
        rows,
        after=pl.col("index_earliest").dt.offset_by(f"-{windows.fdg_days + 1}d"),
        until=pl.col("index_latest").dt.offset_by(window),
        codes=["FDG_PETCT"],
    )
    deciding = first_if_certain(
        record,
        TABLE,
        near,
        ~pl.col("may_be_positive"),
        "days",
        "earliest",
        "study_id",
        certain="settled",
    ).select("patient_no", "days", fdg_suv_max="suv_max", fdg_date="earliest", fdg_row="study_id")
    return (
        answer.join(some, on="patient_no", how="left")
        .join(deciding, on="patient_no", how="left")
        .select(
            "patient_no",
            *(
                pl.when(pl.col("surely") | (~pl.col("maybe") & pl.col("has_study")))
                .then(name)
                .alias(name)
                for name in ("fdg_suv_max", "fdg_date", "fdg_row")
            ),
            fdg_uptake=pl.when("surely")
            .then(pl.lit("positive"))
            .when(~pl.col("maybe") & pl.col("has_study"))
            .then(pl.lit("negative")),
        )
    )


def _near(record: Record, patients: pl.LazyFrame, windows: Windows) -> pl.LazyFrame:
    """Return the PET/CTs that may be in the window: one row per study."""
    suv, read = pl.col("suv_max"), pl.col("fdg_positive")
    unread = pl.col(CELL_ASIDE + "fdg_positive").fill_null(False)
    high = suv >= windows.fdg_suv_max
    before, after = f"-{windows.fdg_days}d", f"{windows.fdg_days}d"
    may_be_in = (pl.col("latest") >= pl.col("index_earliest").dt.offset_by(before)) & (
        pl.col("earliest") <= pl.col("index_latest").dt.offset_by(after)
    ).fill_null(True)
    in_window = (pl.col("earliest") >= pl.col("index_latest").dt.offset_by(before)) & (
        pl.col("latest") <= pl.col("index_earliest").dt.offset_by(after)
    )
    return (
        record.tables[TABLE]
        .filter(pl.col("modality") == "FDG_PETCT")
        .join(patients, on="patient_no", how="inner")
        .filter(may_be_in)
        .with_columns(
            index_date=whole("index_earliest", "index_latest"),
            in_window=in_window.fill_null(False),
            positive=(high & (read | (read.is_null() & ~unread))).fill_null(False),
            may_be_positive=high.fill_null(True) & read.fill_null(True),
        )
        .with_columns(
            days=days_between("index_date", "earliest").abs(),
            settled=pl.col("in_window")
            & pl.col("index_date").is_not_null()
            & (pl.col("positive") | ~pl.col("may_be_positive")),
        )
    )
