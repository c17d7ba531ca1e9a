"""What is history: risks that came true, forecasts whose time has passed.

Once a criterion is met, the risk of meeting one is history; once progressed, that of progression.
A forecast past its horizon is none. Who has lived 3 (or 5) years since the first 131I therapy has
the survival to 10 years given that: S(10) / S(3), from the same baseline, derived. Between horizons
there is no baseline.
"""

import polars as pl

from models.spec import library

HORIZON_YEARS = 10
"""The last horizon of the survival models."""


def with_history(risk: pl.DataFrame) -> pl.DataFrame:
    """Add to scores beside features what is history: one row per row.

    rrdtc_history and pfs_history (null where unknown), os_history and pfs_past (not published),
    os_survival_given_3y and _5y.
    """
    past = _lived(HORIZON_YEARS)
    died = pl.col("died")
    alive = pl.col("died").eq_missing(False)
    given = {
        f"os_survival_given_{years}y": pl.when(alive & _lived(years) & ~_lived(until)).then(
            (pl.col("os_survival_10y") / pl.col(f"os_survival_{years}y")).round(9)
        )
        for years, until in ((3, 5), (5, HORIZON_YEARS))
    }
    return risk.with_columns(
        rrdtc_history=pl.col("rrdtc_met"),
        os_history=died | past,
        pfs_history=pl.col("pfs_event") | died,
        pfs_past=past,
        **given,
    )


def _lived(years: int) -> pl.Expr:
    """Tell whether the first 131I therapy was so many years ago; not where its day is unknown."""
    return (pl.col("index_date").dt.offset_by(f"{years}y") <= pl.col("as_of")).fill_null(False)


def is_history(model: str) -> pl.Expr:
    """Tell whether what a model forecasts of a patient is known to be history, or too old."""
    past = {
        "rrdtc": pl.col("rrdtc_history"),
        "os": pl.col("os_history"),
        "pfs": pl.col("pfs_history") | pl.col("pfs_past"),
    }
    return past[library()[model].outcome].fill_null(False)
