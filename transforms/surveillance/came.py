"""What came of patients, in years from their index date, for each outcome that is predicted."""

import polars as pl

MONTHS_PER_YEAR = 12.0
DAYS_PER_YEAR = 365.25


def what_came(outcome: str, features: pl.DataFrame) -> pl.DataFrame:
    """Return index_date, years from it, and event: one row per patient of whom that is known.

    event: 0 nothing by then, 1 the event, 2 (RR-DTC) died before it.
    """
    if outcome == "rrdtc":
        met = (pl.col("rrdtc_met_date") - pl.col("index_date")).dt.total_days() / DAYS_PER_YEAR
        end = pl.col("follow_up_months") / MONTHS_PER_YEAR
        has_met = pl.col("rrdtc_met").fill_null(False)
        years = pl.when(has_met).then(met).otherwise(end)
        died = pl.col("os_event").cast(pl.Int32) * 2
        event = pl.when(has_met).then(1).otherwise(died)
        features = features.filter(pl.col("rrdtc_met").is_not_null())
    else:
        years = pl.col(f"{outcome}_months") / MONTHS_PER_YEAR
        event = pl.col(f"{outcome}_event").cast(pl.Int32)
    named = features.select("patient_id", "index_date", years=years, event=event)
    return named.drop_nulls(["years", "event", "index_date"])
