"""The published table of reviews: each with what its reviewer had before them."""

import polars as pl

from flows.history import nights_seen
from flows.job import Tonight
from flows.pseudonyms import pseudonymised
from flows.published.nights import night_folder, read_table
from transforms.measures.reviewing import KIND_COLUMNS, NOT_LISTED, listed_for
from transforms.review.reviews import in_order

_OF = ["patient_id", "reviewed_at"]
_LOOKED_UP = {
    "patient_id": pl.String,
    "reviewed_at": pl.Date,
    "listed_for": pl.String,
    "waiting_since": pl.Date,
}


def reviews_told(tonight: Tonight, given: pl.DataFrame, names: pl.DataFrame) -> pl.DataFrame:
    """Return every review known tonight: one row per review, with patient_no.

    What a patient was listed for is looked up once, and taken over from night to night.
    """
    ids = names.select("patient_no", "patient_id")
    told = in_order(given.drop("patient_id").join(ids, on="patient_no"))
    told = pseudonymised(told, tonight.keys)
    if tonight.keys.pseudonym is not None:
        told = told.with_columns(note=pl.lit(None, dtype=pl.String))
    before = _before(tonight)
    new = told.select(_OF).unique().join(before, on=_OF, how="anti", maintain_order="left")
    looked_up = pl.concat([before, _look_up(tonight, new)])
    return told.join(looked_up, on=_OF, how="left", maintain_order="left")


def _before(tonight: Tonight) -> pl.DataFrame:
    """Return what the last night had looked up: one row per patient and day of a review."""
    path = tonight.job.out / (tonight.previous or "") / "reviews.parquet"
    nothing = pl.DataFrame(schema=_LOOKED_UP)
    if tonight.previous is None or not path.is_file():
        return nothing
    last = read_table(path, tonight.keys, columns=list(_LOOKED_UP))
    if set(last.columns) != set(_LOOKED_UP):
        return nothing
    return last.select(*_LOOKED_UP).filter(pl.col("listed_for").is_not_null()).unique(_OF)


def _look_up(tonight: Tonight, reviews: pl.DataFrame) -> pl.DataFrame:
    matched = nights_seen(tonight.job, reviews)
    parts = [pl.DataFrame(schema=_LOOKED_UP)]
    for day in matched["run_date"].unique().sort():
        theirs = matched.filter(run_date=day).select(_OF)
        path = night_folder(tonight.job.out, day) / "worklist.parquet"
        columns = ["patient_id", "waiting_since", *KIND_COLUMNS]
        seen = read_table(path, tonight.keys, columns=columns, of=theirs["patient_id"])
        kinds = seen.select(
            pl.col("patient_id").cast(pl.String), "waiting_since", listed_for=listed_for(seen)
        )
        found = theirs.join(kinds, on="patient_id", how="left", maintain_order="left")
        parts.append(found.with_columns(pl.col("listed_for").fill_null(NOT_LISTED)))
    return pl.concat(part.select(*_LOOKED_UP) for part in parts)
