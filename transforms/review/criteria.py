"""The five RR-DTC criteria of each patient, with what each rests on."""

import polars as pl

from schemas.codes import CRITERION_STATE
from schemas.published import Criteria, columns_of
from transforms.variables.refractory import CRITERIA
from transforms.variables.windows import Windows

_UNKNOWN = "what is missing or was set aside may decide it"
_UNMET = "nothing on record meets it"


def criterion_words(number: int, windows: Windows) -> str:
    """Return a criterion in words, with the limit in force."""
    return CRITERIA[number].format(**windows.model_dump())


def criteria(derived: pl.DataFrame, windows: Windows) -> pl.DataFrame:
    """Return five rows per patient with DTC and 131I therapy, usable or not.

    `derived` are the features with what `refractory` says of each criterion.
    """
    theirs = derived.lazy().filter("dtc", pl.col("criterion_1_state").is_not_null())
    rows = [
        theirs.select(
            "patient_id",
            criterion=pl.lit(number, dtype=pl.UInt8),
            words=pl.lit(criterion_words(number, windows)),
            state=pl.col(f"criterion_{number}_state").cast(pl.Enum(CRITERION_STATE)),
            date=pl.col(f"criterion_{number}_date"),
            evidence=_evidence(number),
            source_table=pl.when(_is(number, "met")).then(_table(number)),
            source_row=pl.when(_is(number, "met")).then(f"criterion_{number}_row"),
        )
        for number in CRITERIA
    ]
    return (
        pl.concat(rows)
        .sort("patient_id", "criterion")
        .select(pl.col(name).cast(dtype) for name, dtype in columns_of(Criteria).items())
        .collect()
    )


def _is(number: int, state: str) -> pl.Expr:
    return pl.col(f"criterion_{number}_state").cast(pl.String) == state


def _table(number: int) -> pl.Expr:
    return pl.col("criterion_4_table") if number == 4 else pl.lit("i131_treatments")


def _evidence(number: int) -> pl.Expr:
    """Say what a criterion rests on: course numbers count in order of their days."""
    course = pl.col(f"criterion_{number}_number")
    met = {
        1: pl.format("course {} took up nothing, and none took up", course),
        2: pl.format("course {} took up nothing, an earlier one did", course),
        3: pl.format("course {}: some lesions took up, others did not", course),
        4: pl.format(
            "{} {} days after course {} of {}",
            pl.when(pl.col("criterion_4_table") == "imaging")
            .then(pl.lit("RECIST PD"))
            .otherwise(pl.lit("recorded progression")),
            (pl.col("criterion_4_date") - pl.col("criterion_4_after")).dt.total_days(),
            course,
            pl.col("criterion_4_after"),
        ),
        5: pl.format("{} mCi with course {}", pl.col("criterion_5_mci").round(1), course),
    }[number]
    unmet: pl.Expr = pl.lit(_UNMET)
    if number == 5:
        ruled_out = pl.col("criterion_5_mci").is_not_null() & pl.col("ruled_out").fill_null(False)
        words = "a complete response was the last assessment before the limit was passed"
        unmet = pl.when(ruled_out).then(pl.lit(words)).otherwise(unmet)
    return (
        pl.when(_is(number, "met"))
        .then(pl.coalesce(met, pl.lit("met; its day is unknown")))
        .when(_is(number, "not_met"))
        .then(unmet)
        .otherwise(pl.lit(_UNKNOWN))
    )
