"""The nights before this one: left unfinished, run again, compared, and seen by reviewers."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl

from flows.errors import NightRefused, UsageError
from flows.intake.labels import labels_of
from flows.job import Job, Tonight
from flows.local.files import LOCAL, of_texts
from flows.pseudonyms import pseudonymised
from flows.published.nights import (
    day_of,
    night_folder,
    nights,
    read_run,
    read_table,
    report_of,
)
from flows.settings import Settings
from flows.warehouse.warehouse import Run, Warehouse
from transforms.review.flags import NO_REVIEWS
from transforms.review.reviews import CARRIED, LATEST, WATCHED, latest_reviews, state

PSEUDONYMS = "pseudonyms"
"""Under which name a night remembers the fingerprint of its pseudonym key."""

EXTRACTED = "extracted_on"
"""Under which name a night remembers the day of its extraction."""

IMPORTS = "review_imports"
"""Under which name a night remembers how many imports of reviews it saw."""

GONE_SETTINGS = ("max_shrink_share", "judge_from_rows")
"""What earlier versions had, and what is published never depended on."""

_OTHER_PSEUDONYMS = "other pseudonyms or none: give the key that it was published with"


def settle_unfinished(out: Path, warehouse: Warehouse, again: date | None = None) -> None:
    """Keep a night that was killed after it was published; forget one killed before.

    A night of the date that is run again is forgotten either way.
    """
    for run in warehouse.unfinished():
        report = report_of(night_folder(out, run.as_of))
        if run.as_of != again and report and report.run_id == run.run_id:
            warehouse.mark_published(run.seq, datetime.now(UTC), report.previous)
    warehouse.forget_unfinished()


def refuse_future(job: Job, today: date) -> None:
    """Raise NightRefused for a date that is not there yet: it would hold up every night until it.

    A day's room is for the registry's clock.
    """
    if job.as_of > today + timedelta(days=1) and not job.allow_future:
        raise NightRefused(
            f"{job.as_of} is in the future (today is {today}, UTC): every night before it would "
            f"then be history. Is it a slip? If not, say --yes."
        )


def past_night(job: Job, runs: list[Run]) -> Run | None:
    """Return the published night to run again, when that is what the job means.

    A date before the last night is history: it is read from the warehouse as that night saw
    it, whatever export is given. The last night's own date can be corrected by an export.
    """
    of_the_date = [run for run in runs if run.as_of == job.as_of]
    latest = max((run.as_of for run in runs), default=None)
    is_history = latest is not None and job.as_of < latest
    if job.as_of_clock and is_history:
        raise NightRefused(
            f"the clock says {job.as_of}, but the last night was of {latest}: has the clock gone "
            f"back? Set it right, or give --as-of. If the night of {latest} was a mistake: "
            f"`thyrisk withdraw {latest} --out {job.out} --why ...`."
        )
    if job.export is None and not of_the_date:
        raise UsageError(
            f"no night of {job.as_of} in {job.warehouse}; give --export to run a new one"
        )
    return of_the_date[-1] if of_the_date and (job.export is None or is_history) else None


def night_again(
    job: Job, started_at: datetime, scratch: Path, warehouse: Warehouse, past: Run
) -> Tonight:
    """Return a past night to be run again, with the settings and the mapping that it had.

    Raises NightRefused when its rows are gone, UsageError when the pseudonym key is another.
    """
    if not past.history_kept:
        raise NightRefused(
            f"the warehouse no longer has the rows of {job.as_of}: keep_history let them go, or it "
            f"was rebuilt without the export of that night"
        )
    used = dict(past.settings)
    if used.pop(PSEUDONYMS, None) != job.keys.fingerprint:
        raise UsageError(f"the night of {job.as_of} had {_OTHER_PSEUDONYMS}")
    extracted = used.pop(EXTRACTED, None)
    imports = used.pop(IMPORTS, 0)
    local = of_texts(used.pop(LOCAL, {}))
    for name in GONE_SETTINGS:
        used.pop(name, None)
    ignored = "; the export given was not loaded" if job.export else ""
    return Tonight(
        job=job,
        run_id=past.run_id,
        mapping=past.mapping,
        settings=Settings(**used),
        seq=past.seq,
        started_at=started_at,
        scratch=scratch,
        export=None,
        extracted_on=date.fromisoformat(extracted) if extracted else None,
        previous=past.previous,
        last=read_last(job, past.previous),
        imports=imports,
        local=local,
        kept_quarantine=warehouse.quarantine_of(past.seq),
        labels=labels_of(warehouse.files_of(past.seq)),
        warnings=(
            f"{job.as_of} is before the last night: it was run again from the warehouse, with the "
            f"data and settings of that night{ignored}",
        ),
    )


def night_before(job: Job, runs: list[Run]) -> str | None:
    """Return the folder of the last night published before this date.

    A folder that the warehouse knows as a night is one even where it is no longer whole.
    """
    earlier = {folder.name for folder in nights(job.out, before=job.as_of)}
    known = (night_folder(job.out, run.as_of) for run in runs if run.as_of < job.as_of)
    earlier |= {folder.name for folder in known if folder.is_dir()}
    return max(earlier, default=None)


def read_last(job: Job, previous: str | None) -> pl.DataFrame | None:
    """Return what is compared of a night's patient_risk; None when there is no such night.

    Raises NightRefused when it is gone or damaged: everybody would look newly flagged.
    """
    if previous is None:
        return None
    folder = job.out / previous
    report = read_run(folder)
    if report is None:
        raise NightRefused(
            f"{folder}, with which the night of {job.as_of} is compared, is gone or not whole"
        )
    if report.get(PSEUDONYMS) != job.keys.fingerprint:
        raise UsageError(f"{previous} has {_OTHER_PSEUDONYMS}, or publish elsewhere (--out)")
    columns = ["patient_id", *WATCHED, *CARRIED]
    return read_table(folder / "patient_risk.parquet", job.keys, columns=columns)


def reviews_of(tonight: Tonight, reviews: pl.DataFrame, names: pl.DataFrame) -> pl.DataFrame:
    """Return the last review of each reviewed patient: one row per patient, as LATEST.

    `reviews` are those known tonight; `names` has patient_no and patient_id of each patient.
    What its reviewer saw is looked up in the published nights, for reviews that the last night
    did not know.
    """
    numbered = latest_reviews(reviews)
    if numbered.is_empty():
        return NO_REVIEWS
    named = numbered.join(names, on="patient_no")
    latest = pseudonymised(named.drop("patient_no"), tonight.keys)
    new = latest.select("patient_id", "reviewed_at")
    last = tonight.last
    if last is not None and {"reviewed_at", "reviewed_state"} <= set(last.columns):
        remembered = last.filter(pl.col("reviewed_state").is_not_null())
        new = new.join(remembered, on=["patient_id", "reviewed_at"], how="anti")
    seen = _seen(tonight.job, new)
    return latest.join(seen, on="patient_id", how="left").select(
        pl.col(name).cast(dtype) for name, dtype in LATEST.items()
    )


def nights_seen(job: Job, reviews: pl.DataFrame) -> pl.DataFrame:
    """Add `run_date`, the newest night published by `reviewed_at`; without one, no row."""
    days = [date.fromisoformat(day_of(folder)) for folder in nights(job.out, before=job.as_of)]
    published = pl.DataFrame({"run_date": days}, schema={"run_date": pl.Date}).sort("run_date")
    return (
        reviews.sort("reviewed_at")
        .join_asof(published, left_on="reviewed_at", right_on="run_date", strategy="backward")
        .drop_nulls("run_date")
    )


def _seen(job: Job, reviews: pl.DataFrame) -> pl.DataFrame:
    """Return what each reviewer saw: one row per patient whose night is still there."""
    matched = nights_seen(job, reviews)
    parts = [pl.DataFrame(schema={"patient_id": pl.String, "newly_seen_state": pl.List(pl.String)})]
    for day in matched["run_date"].unique().sort():
        path = night_folder(job.out, day) / "patient_risk.parquet"
        theirs = matched.filter(run_date=day)["patient_id"]
        seen = read_table(path, job.keys, columns=["patient_id", *WATCHED], of=theirs)
        parts.append(seen.select("patient_id", newly_seen_state=state(seen.columns)))
    return pl.concat(parts)
