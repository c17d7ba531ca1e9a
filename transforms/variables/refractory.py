"""RR-DTC already met: the five criteria of Liu 2022 (after the 2015 ATA guideline).

Each criterion is met, not met or unknown, with its day. The status is met when any is, not met
when none can be, else unknown. The criteria speak of lesions: with courses and no lesion ever
known the status is unknown. They are for DTC: for anything else, and while the histology is
unknown, they are null. DTC without any 131I therapy: not met.

rrdtc_met_date is the earliest day on which any criterion held, and does not move: a course
without uptake held one of criteria 1 and 2 on its day, whichever it stands for tonight.
rrdtc_criterion is the type: of criteria 1 to 4 the first in time (of one day, the lower number); 5
only where none of them holds. Days and type are null where what is missing could change them.
Source: Liu 2022, Methods, and the legend of Fig. 1.
"""

from datetime import date

import polars as pl

from schemas.codes import CRITERION_STATE
from transforms.variables.as_of import whole
from transforms.variables.courses import possible_courses
from transforms.variables.evidence import FIRST_DAY, Record
from transforms.variables.lesions import first_lesion, none_is_known
from transforms.variables.rrdtc_activity import by_activity
from transforms.variables.rrdtc_progression import by_progression
from transforms.variables.rrdtc_uptake import by_uptake, counted_courses
from transforms.variables.windows import Windows

CRITERIA = {
    1: "the lesions never concentrated 131I",
    2: "the lesions lost the ability to concentrate 131I",
    3: "some lesions concentrate 131I, others do not",
    4: "progression within a year after a 131I therapy",
    5: "more than {cumulative_mci:g} mCi of 131I in total",
}
NO_LESION = "uptake recorded, but no lesion"
IN_DOUBT = "what is missing or was set aside may meet a criterion"
_NEVER = pl.lit(date.max)
_OF_UPTAKE = (1, 2, 3)
_RESTS_ON = (
    *(f"{n}_{what}" for n in CRITERIA for what in ("row", "number")),
    "4_table",
    "4_after",
    "5_mci",
)


def refractory(
    record: Record, courses: pl.LazyFrame, index: pl.LazyFrame, windows: Windows
) -> pl.LazyFrame:
    """Return one row per patient with a row of 131I therapy.

    rrdtc_met, rrdtc_criterion (1 to 5), rrdtc_met_date, rrdtc_reason (why it is unknown), and
    for each criterion its state and date, as criterion_<n>_state and _date, beside what it rests
    on. Whether the patient has DTC is not looked at here.
    """
    known = none_is_known(record)
    lesions = first_lesion(record).collect().lazy()
    possible = possible_courses(record, courses).collect().lazy()
    counted = counted_courses(possible, lesions, windows, none_known=known).collect().lazy()
    days = (
        index.select("patient_no")
        .join(lesions, on="patient_no", how="left")
        .join(by_uptake(counted), on="patient_no", how="left")
        .join(by_progression(record, possible, lesions, windows), on="patient_no", how="left")
        .join(by_activity(record, counted, windows, none_known=known), on="patient_no", how="left")
    )
    # Where no scan certainly was of a lesion, what it showed says nothing of lesions.
    uncounted = ~pl.col("counted").fill_null(False)
    days = days.with_columns(
        pl.when(uncounted)
        .then(pl.lit(FIRST_DAY))
        .otherwise(f"criterion_{n}_from")
        .alias(f"criterion_{n}_from")
        for n in _OF_UPTAKE
    )
    return (
        days.with_columns(
            *(_state(n).alias(f"criterion_{n}_state") for n in CRITERIA),
            *(
                whole(f"criterion_{n}_from", f"criterion_{n}_by").alias(f"criterion_{n}_date")
                for n in CRITERIA
            ),
            rrdtc_criterion=_type(),
        )
        .with_columns(rrdtc_met=_met(), rrdtc_met_date=_met_date())
        .with_columns(rrdtc_reason=_reason(known))
        .select(
            "patient_no",
            "rrdtc_met",
            "rrdtc_reason",
            pl.when("rrdtc_met").then("rrdtc_met_date"),
            pl.when("rrdtc_met").then("rrdtc_criterion"),
            "^criterion_._(state|date)$",
            *(
                pl.when(pl.col(f"criterion_{name[0]}_date").is_not_null())
                .then(f"criterion_{name}")
                .alias(f"criterion_{name}")
                for name in _RESTS_ON
            ),
            "ruled_out",
        )
    )


def _state(number: int) -> pl.Expr:
    return (
        pl.when(pl.col(f"criterion_{number}_by").is_not_null())
        .then(pl.lit("met"))
        .when(pl.col(f"criterion_{number}_from").is_null())
        .then(pl.lit("not_met"))
        .otherwise(pl.lit("unknown"))
        .cast(pl.Enum(CRITERION_STATE))
    )


def _met() -> pl.Expr:
    states = [pl.col(f"criterion_{n}_state").cast(pl.String) for n in CRITERIA]
    return (
        pl.when(pl.any_horizontal(state == "met" for state in states))
        .then(True)
        .when(pl.all_horizontal(state == "not_met" for state in states))
        .then(False)
    )


def _met_date() -> pl.Expr:
    """Return the earliest day on which any criterion held, if nothing may have held before."""
    others = [n for n in CRITERIA if n > 2]
    first = pl.min_horizontal("first_none_from", *(f"criterion_{n}_from" for n in others))
    last = pl.min_horizontal("first_none_by", *(f"criterion_{n}_by" for n in others))
    return pl.when(first == last).then(last)


def _type() -> pl.Expr:
    """Return the first in time of 1 to 4, if no other may come before it; else 5."""
    kind: pl.Expr = pl.when(
        pl.all_horizontal(pl.col(f"criterion_{n}_from").is_null() for n in CRITERIA if n < 5)
        & pl.col("criterion_5_by").is_not_null()
    ).then(pl.lit(5, dtype=pl.UInt8))
    for number in (4, 3, 2, 1):
        by = pl.col(f"criterion_{number}_by")
        before = pl.all_horizontal(
            (by < other) if n < number else (by <= other)
            for n in (1, 2, 3, 4)
            if n != number
            for other in [pl.col(f"criterion_{n}_from").fill_null(_NEVER)]
        )
        is_first = (by.is_not_null() & before).fill_null(False)
        kind = pl.when(is_first).then(pl.lit(number, dtype=pl.UInt8)).otherwise(kind)
    return kind


def _reason(none_known: bool) -> pl.Expr:
    no_lesion = pl.col("lesion_earliest").is_null() & pl.lit(none_known)
    for number in (4, 5):
        no_lesion &= pl.col(f"criterion_{number}_from").is_null()
    return (
        pl.when(pl.col("rrdtc_met").is_not_null())
        .then(None)
        .when(no_lesion)
        .then(pl.lit(NO_LESION))
        .otherwise(pl.lit(IN_DOUBT))
    )
