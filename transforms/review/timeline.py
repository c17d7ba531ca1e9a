"""A patient's story: the dated events that a reviewer looks at, one row per event."""

from collections.abc import Mapping

import polars as pl

from schemas.published import Timeline, columns_of
from transforms.units import activity_mci, length_cm, thyroglobulin_ng_ml
from transforms.variables.thyroglobulin import at_least
from transforms.variables.windows import Windows

_PROCEDURE = {"near_total": "near-total thyroidectomy", "total": "total thyroidectomy"}
_NOT_COUNTED_AS = {"fdg_uptake": "PET/CT", "stg_500": "Tg", "nodule_cm": "ct"}
"""The variables of which something is on file and does not count, and the kind of its event."""

Events = dict[str, list[pl.LazyFrame]]


def story(
    tables: Mapping[str, pl.DataFrame],
    who: pl.DataFrame,
    courses: pl.DataFrame,
    on_file: pl.DataFrame,
    windows: Windows,
) -> pl.DataFrame:
    """Return the dated events of some patients: one row per event, in order of date.

    `who` has one row per patient: patient_no and the patient_id to publish. `tables` hold what
    is known as of tonight, `courses` the number and the total of each course by patient_no and
    date (as `numbered` returns them), `on_file` what does not count for a missing variable.
    """
    columns = columns_of(Timeline)
    uncounted = _uncounted(on_file)
    told = [
        rows.join(who.lazy(), on="patient_no")
        .with_columns(source_table=pl.lit(table))
        .join(uncounted, on=["patient_id", "kind", "source_table", "source_row"], how="left")
        .with_columns(counts=pl.col("not_counted_reason").is_null())
        for table, kinds in _events(tables, courses, windows).items()
        for rows in kinds
    ]
    return (
        pl.concat(told, how="diagonal")
        .select(pl.col(name).cast(dtype) for name, dtype in columns.items())
        .sort("patient_id", "date", "kind", "source_row")
        .collect()
    )


def numbered(courses: pl.LazyFrame) -> pl.DataFrame:
    """Return the number of each course and the activity up to it: one row per course of a day.

    `courses` as `possible_courses` returns them. Both are null where one may be missing.
    """
    is_whole = pl.col("earliest") == pl.col("latest")
    # possible_courses numbers no course of a patient of whom any has no day of its own.
    known = pl.col("activity_mci").is_not_null().cum_min().over("patient_no")
    total = pl.col("activity_mci").cum_sum().over("patient_no").round(9)
    return (
        courses.filter(pl.col("is_course"), is_whole)
        .sort("patient_no", "earliest")
        .select(
            "patient_no",
            date="earliest",
            course="number",
            cumulative_mci=pl.when(pl.col("number").is_not_null() & known).then(total),
        )
        .collect()
    )


def _uncounted(on_file: pl.DataFrame) -> pl.LazyFrame:
    kind = pl.col("feature").replace_strict(_NOT_COUNTED_AS, default=None, return_dtype=pl.String)
    return (
        on_file.lazy()
        .select("patient_id", "source_table", "source_row", kind=kind, not_counted_reason="reason")
        .unique(["patient_id", "kind", "source_table", "source_row"], keep="first")
    )


def _events(tables: Mapping[str, pl.DataFrame], courses: pl.DataFrame, windows: Windows) -> Events:
    """Return the events of each table: frames of one row per event."""
    found = pl.col("found")
    procedure = pl.col("procedure").cast(pl.String).replace(_PROCEDURE).str.replace_all("_", " ")
    metastases, events = tables["metastases"].filter(found), tables["events"].filter(found)
    return {
        "diagnoses": [
            _rows(
                tables["diagnoses"],
                "diagnosis",
                ("diagnosis_date", "diagnosis_id"),
                _code("histology"),
            )
        ],
        "surgeries": [
            _rows(tables["surgeries"], "surgery", ("surgery_date", "surgery_id"), procedure)
        ],
        "i131_treatments": [_courses(tables["i131_treatments"], courses)],
        "labs": _samples(tables["labs"], windows),
        "imaging": _studies(tables["imaging"]),
        "metastases": [
            _rows(metastases, "metastasis", ("detected_date", "metastasis_id"), _code("site"))
        ],
        "events": [_rows(events, "event", ("event_date", "event_id"), _code("type"))],
        "reviews": [_rows(tables["reviews"], "review", ("reviewed_at", None), _code("decision"))],
        "patients": [_rows(tables["patients"], "death", ("death_date", None), pl.lit("died"))],
    }


def _courses(treatments: pl.DataFrame, courses: pl.DataFrame) -> pl.LazyFrame:
    rows = _rows(
        treatments,
        "131I",
        ("treatment_date", "treatment_id"),
        pl.format("uptake: {}", _code("lesion_uptake")),
        value=activity_mci(),
        unit=pl.lit("mCi"),
        uptake=pl.col("lesion_uptake"),
    )
    return rows.join(courses.lazy(), on=["patient_no", "date"], how="left")


def _samples(labs: pl.DataFrame, windows: Windows) -> list[pl.LazyFrame]:
    high = at_least(pl.col("value"), pl.col("comparator"), windows.tgab_positive_iu_ml)
    on_day = (
        labs.filter(pl.col("analyte") == "TgAb")
        .group_by("patient_no", "sample_date")
        .agg(
            tgab_positive=pl.when(high.fill_null(False).any())
            .then(True)
            .when(high.is_not_null().all())
            .then(False)
        )
    )
    source = ("sample_date", "lab_id")
    said = {"analyte": pl.col("analyte"), "comparator": pl.col("comparator")}
    stimulated = pl.format("{}stimulated: {}", _comparator(), _code("stimulated"))
    tg = labs.filter(pl.col("analyte") == "Tg").join(
        on_day, on=["patient_no", "sample_date"], how="left"
    )
    rows = [
        _rows(
            tg,
            "Tg",
            source,
            stimulated,
            value=thyroglobulin_ng_ml(),
            unit=pl.lit("ng/mL"),
            stimulated=pl.col("stimulated"),
            tgab_positive=pl.col("tgab_positive"),
            **said,
        )
    ]
    for kind, analyte, unit in (("tsh", "TSH", "mIU/L"), ("tgab", "TgAb", "IU/mL")):
        of_analyte = labs.filter(pl.col("analyte") == analyte)
        # All units of these two have the same size.
        value = pl.when(pl.col("unit").is_not_null()).then("value")
        rows.append(
            _rows(of_analyte, kind, source, _comparator(), value=value, unit=pl.lit(unit), **said)
        )
    return rows


def _studies(imaging: pl.DataFrame) -> list[pl.LazyFrame]:
    source, modality = ("study_date", "study_id"), pl.col("modality").cast(pl.String)
    reading = pl.when("fdg_positive").then(pl.lit("read as positive")).otherwise(pl.lit(""))
    size = length_cm("largest_lung_nodule", "largest_lung_nodule_unit")
    nodule = (
        pl.when(size.is_null())
        .then(pl.lit("no nodule size"))
        .otherwise(pl.lit("largest lung nodule"))
    )
    recist = pl.format("RECIST {} on {}", "recist", modality.str.replace("FDG_PETCT", "PET/CT"))
    return [
        _rows(
            imaging.filter(modality == "FDG_PETCT"),
            "PET/CT",
            source,
            reading,
            value=pl.col("suv_max"),
        ),
        _rows(
            imaging.filter(modality == "CT"),
            "ct",
            source,
            nodule,
            value=size,
            unit=pl.lit("cm"),
        ),
        _rows(imaging.filter(pl.col("recist").is_not_null()), "recist", source, recist),
    ]


def _rows(
    table: pl.DataFrame,
    kind: str,
    source: tuple[str, str | None],
    words: pl.Expr,
    *,
    value: pl.Expr | None = None,
    unit: pl.Expr | None = None,
    **said: pl.Expr,
) -> pl.LazyFrame:
    when, row = source
    value = pl.lit(None, dtype=pl.Float64) if value is None else value
    unit = pl.lit(None, dtype=pl.String) if unit is None else unit
    return (
        table.lazy()
        .filter(pl.col(when).is_not_null())
        .select(
            "patient_no",
            date=when,
            kind=pl.lit(kind),
            words=words.fill_null("unknown"),
            value=value,
            unit=pl.when(value.is_not_null()).then(unit),
            source_row=pl.lit(None, dtype=pl.String) if row is None else pl.col(row),
            **said,
        )
    )


def _code(column: str) -> pl.Expr:
    return pl.col(column).cast(pl.String).str.replace_all("_", " ").fill_null("not recorded")


def _comparator() -> pl.Expr:
    said = pl.col("comparator").cast(pl.String)
    return (
        pl.when(said.is_in(["<", "<=", ">", ">="])).then(said + pl.lit("; ")).otherwise(pl.lit(""))
    )
