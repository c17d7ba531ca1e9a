"""RR-DTC criterion 4: progression within a year after a 131I therapy.

A recorded progression speaks of a lesion where one was known by then; RECIST PD always does.
Source: Liu 2022, Methods, and the legend of Fig. 1.
"""

import polars as pl

from transforms.variables.evidence import FIRST_DAY, NO_ROWS, Record
from transforms.variables.progression import progressed, progressions
from transforms.variables.windows import Windows

_RESTS_ON = ("criterion_4_table", "criterion_4_row", "criterion_4_number", "criterion_4_after")


def by_progression(
    record: Record, courses: pl.LazyFrame, lesions: pl.LazyFrame, windows: Windows
) -> pl.LazyFrame:
    """Return one row per patient with a row of 131I therapy; `courses` are possible courses.

    criterion_4_from and _by: the days between which it was first met (_from null: certainly not;
    _by null: not certainly), criterion_4_table and criterion_4_row,
    criterion_4_number (the last course before it).
    """
    year = f"{windows.progression_years}y"
    given = courses.select(
        "patient_no", "is_course", "number", given_from="earliest", given_by="latest"
    )
    has_lesion = (pl.col("lesion_latest") <= pl.col("earliest")).fill_null(False)
    rows = (
        progressions(record, windows)
        .join(lesions, on="patient_no", how="left")
        .with_columns(
            surely=pl.col("surely") & (has_lesion | (pl.col("source_table") == "imaging"))
        )
    )
    pairs = rows.join(given, on="patient_no", how="inner").filter(
        pl.col("latest") > pl.col("given_from"),
        pl.col("earliest") <= pl.col("given_by").dt.offset_by(year),
    )
    within = (pl.col("earliest") > pl.col("given_by")) & (
        pl.col("latest") <= pl.col("given_from").dt.offset_by(year)
    )
    sure = pl.col("surely") & pl.col("is_course") & within
    has_days = (pl.col("earliest") == pl.col("latest")) & (
        pl.col("given_from") == pl.col("given_by")
    )
    plain = pl.col("surely") & pl.col("is_course") & has_days
    found = (
        pairs.with_columns(sure=sure, plain=plain)
        .sort(
            "patient_no",
            "earliest",
            "source_table",
            "source_row",
            "given_by",
            descending=[False, False, False, False, True],
        )
        .group_by("patient_no", maintain_order=True)
        .agg(
            row_from=pl.col("earliest").min(),
            criterion_4_by=pl.col("latest").filter("sure").min(),
            criterion_4_table=pl.col("source_table").filter("sure").first(),
            criterion_4_row=pl.col("source_row").filter("sure").first(),
            criterion_4_number=pl.col("number").filter("sure").first(),
            criterion_4_after=pl.col("given_by").filter("sure").first(),
            plain=pl.col("plain").all(),
        )
    )
    return (
        _unread(record, given, windows)
        .join(found, on="patient_no", how="left")
        .select(
            "patient_no",
            "criterion_4_by",
            *(pl.when("plain").then(name).alias(name) for name in _RESTS_ON),
            criterion_4_from=pl.when("maybe").then(pl.lit(FIRST_DAY)).otherwise("row_from"),
        )
    )


def _unread(record: Record, given: pl.LazyFrame, windows: Windows) -> pl.LazyFrame:
    """Tell whether a progression that cannot be read may have followed a course."""
    year = f"{windows.progression_years}y"
    patients = given.group_by("patient_no").agg(
        pl.col("given_from").min(), until=pl.col("given_by").max().dt.offset_by(year)
    )
    return progressed(
        record,
        windows,
        patients,
        NO_ROWS,
        after=pl.col("given_from"),
        until=pl.min_horizontal("until", pl.lit(record.as_of)),
    )
