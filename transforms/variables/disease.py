"""Disease: whether any is known tonight, and whether the last assessment was a complete response.

disease: yes with a metastasis (also M1 alone), a recurrence, a measurable lung nodule, a
progression, or an assessment of lesions (RECIST PR, SD, PD). No only where nothing may say so;
null else.

complete_response: yes when the last assessment is RECIST CR and no metastasis, recurrence or
progression may be of a later day; no when the last is another, or such a finding certainly is
later; null where what cannot be read may decide it, or may be a later assessment.
complete_response_since: the first of the assessments in a row that were CR; null where an earlier
one may be missing.
Source: RECIST 1.1; Liu 2022, Methods, "Definition of RR-DTC".
"""

import polars as pl

from transforms.reading.quarantine import CELL_ASIDE
from transforms.variables.evidence import Record, asked
from transforms.variables.lesions import first_lesion, none_is_known
from transforms.variables.metastases import findings

_LESIONS_LEFT = ("PR", "SD", "PD")
_ASSESSED = ("CR", *_LESIONS_LEFT)
_EVENTS = ("recurrence", "progression")


def disease(record: Record) -> pl.LazyFrame:
    """Return one row per patient: disease, complete_response, complete_response_since."""
    patients = record.tables["patients"].select("patient_no")
    assessed = _assessments(record).collect().lazy()
    return (
        _known(record, patients, assessed)
        .join(_complete(record, patients, assessed), on="patient_no", how="left")
        .with_columns(
            complete_response_since=pl.when(pl.col("complete_response") == "yes").then(
                "complete_response_since"
            )
        )
    )


def _assessments(record: Record) -> pl.LazyFrame:
    """Return one row per assessment, or what may be one: recist is null where it is unread."""
    recist = pl.col("recist").cast(pl.String)
    unread = recist.is_null() & pl.col(CELL_ASIDE + "recist").fill_null(False)
    return (
        record.tables["imaging"]
        .filter(recist.is_in(_ASSESSED) | unread)
        .select("patient_no", "earliest", "latest", recist=recist)
    )


def _known(record: Record, patients: pl.LazyFrame, assessed: pl.LazyFrame) -> pl.LazyFrame:
    today = pl.lit(record.as_of)
    found = pl.col("found")
    progressions = (
        record.tables["events"]
        .filter(pl.col("type") == "progression", found.is_null() | found)
        .select("patient_no", surely=found.fill_null(False))
    )
    left = pl.col("recist").is_in(_LESIONS_LEFT)
    seen = assessed.filter(left | pl.col("recist").is_null()).select(
        "patient_no", surely=left.fill_null(False)
    )
    kind = ["progression"]
    events = asked(record, "events", patients, progressions, until=today, codes=kind)
    imaging = asked(record, "imaging", patients, seen, until=today)
    surely = pl.col("surely") | pl.col("surely_imaging") | pl.col("lesion_latest").is_not_null()
    maybe = pl.col("maybe") | pl.col("maybe_imaging") | pl.col("lesion_earliest").is_not_null()
    return (
        events.join(imaging, on="patient_no", suffix="_imaging")
        .join(first_lesion(record), on="patient_no", how="left")
        .select(
            "patient_no",
            disease=pl.when(surely)
            .then(pl.lit("yes"))
            .when(~maybe & pl.lit(none_is_known(record)))
            .then(pl.lit("no")),
        )
    )


def _complete(record: Record, patients: pl.LazyFrame, assessed: pl.LazyFrame) -> pl.LazyFrame:
    """Return complete_response and its first day: one row per patient."""
    is_complete, last_day = pl.col("recist") == "CR", pl.col("earliest").max()
    whole = pl.col("earliest") == pl.col("latest")
    last = pl.col("latest") >= last_day
    other_day = pl.col("latest").filter(pl.col("recist") != "CR").max()
    by_patient = assessed.group_by("patient_no").agg(
        response_day=last_day,
        is_complete=(is_complete & whole).fill_null(False).filter(last).all(),
        is_other=(
            (pl.col("recist") != "CR") & (pl.col("earliest") >= pl.col("latest").max())
        ).any(),
        since=pl.col("earliest")
        .filter(is_complete & (pl.col("earliest") > other_day).fill_null(True))
        .min(),
        unclear=(pl.col("recist").is_null() | ~whole).any(),
    )
    hidden = (
        record.hidden_in("imaging").group_by("patient_no").agg(hidden_by=pl.col("latest").max())
    )
    collected = pl.lit(record.is_collected("imaging"))
    later = (pl.col("hidden_by") >= pl.col("response_day")).fill_null(False)
    with_day = by_patient.filter("is_complete").select("patient_no", "response_day")
    return (
        patients.join(by_patient, on="patient_no", how="left")
        .join(hidden, on="patient_no", how="left")
        .join(_found_after(record, with_day), on="patient_no", how="left")
        .select(
            "patient_no",
            complete_response=pl.when(
                ((pl.col("response_day").is_null() & pl.col("hidden_by").is_null()) & collected)
                | ((pl.col("is_other") | pl.col("found_after")) & ~later & collected)
            )
            .then(pl.lit("no"))
            .when(pl.col("is_complete") & ~pl.col("perhaps_after") & ~later & collected)
            .then(pl.lit("yes")),
            complete_response_since=pl.when(
                ~pl.col("unclear") & pl.col("hidden_by").is_null()
            ).then("since"),
        )
    )


def _found_after(record: Record, with_day: pl.LazyFrame) -> pl.LazyFrame:
    """Ask whether anything was found after a day: one row per patient of `with_day`."""
    found = pl.col("found")
    events = (
        record.tables["events"]
        .filter(pl.col("type").cast(pl.String).is_in(_EVENTS), found.is_null() | found)
        .with_columns(surely=found.fill_null(False))
    )
    answers = []
    for table, rows in (("metastases", findings(record)), ("events", events)):
        later = (
            rows.join(with_day, on="patient_no", how="inner")
            .filter(pl.col("latest") > pl.col("response_day"))
            .select(
                "patient_no",
                surely=pl.col("surely") & (pl.col("earliest") > pl.col("response_day")),
            )
        )
        answers.append(
            asked(
                record,
                table,
                with_day,
                later,
                after=pl.col("response_day"),
                until=pl.lit(record.as_of),
            )
        )
    metastases, recorded = answers
    return metastases.join(recorded, on="patient_no", suffix="_event").select(
        "patient_no",
        found_after=pl.col("surely") | pl.col("surely_event"),
        perhaps_after=pl.col("maybe") | pl.col("maybe_event"),
    )
