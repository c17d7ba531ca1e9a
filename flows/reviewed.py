"""What reviewers saw: the state of their patients in the night that was theirs to read."""

from datetime import date

import polars as pl

from flows.job import Job
from flows.load import Night
from flows.pseudonyms import pseudonymised
from flows.publish import day_of, night_folder, nights, read_table
from transforms.flags import NO_REVIEWS
from transforms.reviews import LATEST, WATCHED, latest_reviews, state


def reviews_of(job: Job, night: Night, last: pl.DataFrame | None) -> pl.DataFrame:
    """Return the last review of each reviewed patient: one row per patient, as LATEST.

    What its reviewer saw is looked up in the published nights, for reviews that the last night
    did not know.
    """
    numbered = latest_reviews(night.tables["reviews"])
    if numbered.is_empty():
        return NO_REVIEWS
    named = numbered.rename({"patient_id": "patient_no"}).join(
        night.patients.select("patient_no", "patient_id"), on="patient_no"
    )
    latest = pseudonymised(named.drop("patient_no"), night.keys)
    new = latest.select("patient_id", "reviewed_at")
    if last is not None and "reviewed_at" in last.columns:
        new = new.join(last, on=["patient_id", "reviewed_at"], how="anti")
    seen = _seen(job, new)
    return latest.join(seen, on="patient_id", how="left").select(
        pl.col(name).cast(dtype) for name, dtype in LATEST.items()
    )


def _seen(job: Job, reviews: pl.DataFrame) -> pl.DataFrame:
    """Return what each reviewer saw: one row per patient whose night is still there."""
    days = [date.fromisoformat(day_of(folder)) for folder in nights(job.out, before=job.as_of)]
    published = pl.DataFrame({"run_date": days}, schema={"run_date": pl.Date}).sort("run_date")
    matched = (
        reviews.sort("reviewed_at")
        .join_asof(published, left_on="reviewed_at", right_on="run_date", strategy="backward")
        .drop_nulls("run_date")
    )
    parts = [pl.DataFrame(schema={"patient_id": pl.String, "newly_seen_state": pl.List(pl.String)})]
    for day in matched["run_date"].unique().sort():
        path = night_folder(job.out, day) / "patient_risk.parquet"
        theirs = matched.filter(run_date=day)["patient_id"]
        seen = read_table(path, job.keys, columns=["patient_id", *WATCHED], of=theirs)
        parts.append(seen.select("patient_id", newly_seen_state=state()))
    return pl.concat(parts)
