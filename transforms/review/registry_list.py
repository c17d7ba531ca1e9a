"""The registry's list: entries that are missing, contradictory or set aside.

One row per correction, grouped by what is to be done, those groups first that would settle
something for most patients who are followed. What a correction would settle rests on the patient's
open questions: variables that a flag waits for, whether a criterion is met, whether there is
disease.
"""

import polars as pl

from schemas.published import RegistryList, columns_of
from transforms.review.needs import in_words

_MET, _DISEASE = "rrdtc_met", "disease"
_WORDS = {_MET: "whether an RR-DTC criterion is met", _DISEASE: "whether there is disease"}
_HOME = {
    "dtc": ("diagnoses", "histology"),
    "histology_group": ("diagnoses", "histology"),
    "has_index": ("i131_treatments", "treatment_date"),
    "index_date": ("i131_treatments", "treatment_date"),
    "thyroidectomy_before_index": ("surgeries", "surgery_date"),
    "sex": ("patients", "sex"),
    "age_48": ("patients", "birth_date"),
    "age_55": ("patients", "birth_date"),
    "age_at_index": ("patients", "birth_date"),
    "recurrence": ("events", "type"),
    "metastatic": ("metastases", "site"),
    "site_count": ("metastases", "site"),
    "lung_timing": ("metastases", "site"),
    "extent": ("metastases", "site"),
    "fdg_uptake": ("imaging", "suv_max"),
    "activity_mci": ("i131_treatments", "activity"),
    "uptake_category": ("i131_treatments", "lesion_uptake"),
    "nodule_cm": ("imaging", "largest_lung_nodule"),
    "stg_500": ("labs", "value"),
}
"""Where each variable is entered."""

_MORE = {
    "diagnoses": ("dtc", "histology_group", "metastatic", "age_48", _DISEASE),
    "i131_treatments": ("has_index", "index_date", "activity_mci", "uptake_category", _MET),
    "imaging": ("fdg_uptake", "nodule_cm", _MET, _DISEASE),
    "metastases": ("metastatic", "site_count", "lung_timing", "extent", _MET, _DISEASE),
    "events": ("recurrence", _MET, _DISEASE),
    "surgeries": ("thyroidectomy_before_index", "recurrence"),
    "labs": ("stg_500",),
    "patients": ("sex", "age_48", "age_55", "age_at_index"),
}
"""What a row of each table may settle."""

_ONLY = {
    ("patients", "sex"): ("sex",),
    ("patients", "birth_date"): ("age_48", "age_55", "age_at_index"),
    ("patients", "death_date"): (),
    ("patients", "death_cause"): (),
    ("patients", "last_contact_date"): (),
    ("diagnoses", "histology"): ("dtc", "histology_group"),
    ("diagnoses", "tumour_size"): (),
    ("i131_treatments", "activity"): ("activity_mci", _MET),
    ("i131_treatments", "lesion_uptake"): ("uptake_category", _MET),
    ("imaging", "suv_max"): ("fdg_uptake",),
    ("imaging", "fdg_positive"): ("fdg_uptake",),
    ("imaging", "largest_lung_nodule"): ("nodule_cm", _DISEASE),
    ("imaging", "recist"): (_MET, _DISEASE),
}
"""What a cell may settle, where that is less than its row."""


def registry_list(
    quarantine: pl.DataFrame, twice: pl.DataFrame, live: pl.DataFrame, risk: pl.DataFrame
) -> pl.DataFrame:
    """Return one row per correction, the groups that unlock most patients first.

    `quarantine` as published; `twice` has the courses whose entries disagree: patient_id, row_key,
    date; `live` the needs of forecasts that are no history; `risk` patient_risk with disease.
    """
    risk = risk.filter(pl.col("followed").ne_missing(False))
    live = live.join(risk.select("patient_id"), on="patient_id", how="semi")
    questions = _questions(live, risk)
    parts = [_aside(quarantine, questions), _contradictory(twice, questions), _missing(live)]
    columns = columns_of(RegistryList)
    together = pl.concat(parts, how="diagonal_relaxed")
    unlocked = pl.col("patient_id").filter(pl.col("unlocks").is_not_null())
    return (
        together.with_columns(patients=unlocked.n_unique().over("group"))
        .sort(
            "patients",
            "group",
            "table",
            "file",
            "line",
            "patient_id",
            "row_key",
            "column",
            descending=[True, *[False] * 7],
        )
        .select(pl.col(name).cast(dtype) for name, dtype in columns.items())
    )


def _questions(live: pl.DataFrame, risk: pl.DataFrame) -> pl.DataFrame:
    """Return what is open of each patient who is followed: patient_id, feature, words."""
    unknown = [
        risk.filter(pl.col(name).is_null(), ~pl.col("dtc").eq_missing(False)).select(
            "patient_id", feature=pl.lit(name), words=pl.lit(words)
        )
        for name, words in _WORDS.items()
    ]
    asked = live.select("patient_id", "feature", words="what")
    return pl.concat([asked, *unknown])


def _unlocks(rows: pl.DataFrame, questions: pl.DataFrame) -> pl.DataFrame:
    """Return what each row may settle: one row per row that may, `row` and unlocks."""
    cells = [
        {"table": table, "column": column, "feature": feature}
        for (table, column), features in _ONLY.items()
        for feature in features
    ]
    tables = [
        {"table": table, "feature": feature}
        for table, features in _MORE.items()
        for feature in features
    ]
    schema = {"table": pl.String, "column": pl.String, "feature": pl.String}
    by_cell = pl.DataFrame(cells, schema=schema)
    by_table = pl.DataFrame(tables, schema={n: schema[n] for n in ("table", "feature")})
    alone = pl.DataFrame([{"table": t, "column": c} for t, c in _ONLY])
    may = pl.concat(
        [
            rows.join(by_cell, on=["table", "column"]),
            rows.join(alone, on=["table", "column"], how="anti").join(by_table, on="table"),
        ]
    )
    return (
        may.join(questions, on=["patient_id", "feature"])
        .group_by("row")
        .agg(unlocks=pl.col("words").unique().sort().str.join("; "))
    )


def _aside(quarantine: pl.DataFrame, questions: pl.DataFrame) -> pl.DataFrame:
    rows = (
        quarantine.filter(~pl.col("not_yet"))
        .select(
            "table",
            "file",
            "line",
            "row_key",
            "patient_id",
            column="cell",
            reason=pl.col("reasons").list.join("; "),
            group=pl.format("{}: {}", "table", pl.col("reasons").list.first()),
        )
        .with_row_index("row")
    )
    return rows.join(_unlocks(rows, questions), on="row", how="left")


def _contradictory(twice: pl.DataFrame, questions: pl.DataFrame) -> pl.DataFrame:
    words = "i131_treatments: entries of one course do not agree on its activity"
    rows = twice.select(
        "patient_id",
        "row_key",
        table=pl.lit("i131_treatments"),
        column=pl.lit("activity"),
        group=pl.lit(words),
        reason=pl.format("{} rows of {}: activities differ, or one is empty", "entries", "date"),
    ).with_row_index("row")
    return rows.join(_unlocks(rows, questions), on="row", how="left")


def _missing(live: pl.DataFrame) -> pl.DataFrame:
    """Return the entries of old results that a flag waits for."""
    home = pl.DataFrame([{"feature": f, "table": t, "column": c} for f, (t, c) in _HOME.items()])
    entries = live.filter(pl.col("kind").cast(pl.String) == "entry")
    return entries.join(home, on="feature").select(
        "patient_id",
        "table",
        "column",
        group=pl.format("{}: missing {}", "table", "what"),
        reason=pl.format("not on file: {}", in_words()),
        unlocks=pl.format("flag of {}", pl.col("decides").list.join(", ")),
    )
