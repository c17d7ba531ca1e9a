"""A history of nights to look at: one registry, exported, scored and reviewed again and again.

Twelve weekly nights and eight daily ones up to END. One came late; one export broke off and its
night was refused, then came whole. The reviewer comes once a week; what was decided is in the
exports from the next night on.
"""

import json
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import polars.selectors as cs

from flows.errors import NightRefused, UsageError
from flows.job import job_of
from flows.night import run_night
from flows.published.nights import night_folder, nights, read_run
from flows.synth import Registry
from flows.synth.columns import END
from flows.synth.dirt import soil
from flows.synth.files import write_export
from flows.synth.real import draw_registry
from flows.synth.real.rows import as_known
from flows.synth.reviewer import review, reviews_table
from flows.synth.stories import STORIES
from flows.synth.story import with_stories
from schemas.registry import TABLES

PATIENTS, SEED = 2000, 29
"""What `thyrisk demo` shows, unless asked otherwise: a seed with something new on END."""
DIRT = 0.001
"""Share of rows that are soiled."""
_FIRST_DAILY = END - timedelta(days=7)
_LATE = {date(2026, 5, 19): date(2026, 5, 22)}
"""Planned day, and the day on which the night ran, on the export of the planned day."""
BROKEN_OFF = date(2026, 6, 9)


@dataclass(frozen=True)
class Planned:
    """A night of the history: its date, and the day of the extraction that it reads."""

    day: date
    extracted: date
    broken: bool = False
    """Whether the export breaks off in the laboratory."""


def plan() -> list[Planned]:
    """Return the nights in order; that of the broken export twice."""
    weekly = [_FIRST_DAILY - timedelta(weeks=weeks) for weeks in range(12, 0, -1)]
    daily = [_FIRST_DAILY + timedelta(days=days) for days in range(8)]
    found = []
    for day in weekly + daily:
        if day == BROKEN_OFF:
            found.append(Planned(day, day, broken=True))
        found.append(Planned(_LATE.get(day, day), day))
    return found


@dataclass(frozen=True)
class Told:
    """What became of a night."""

    day: date
    words: str


def run_history(
    out: Path,
    patients: int,
    seed: int,
    tell: Callable[[Told], None],
    *,
    last: int | None = None,
    page: bool = True,
) -> Path:
    """Run the nights into `out` and return the folder of the last. Raises UsageError.

    Nights that are there already, of the same exports, are left as they are. `last` runs only
    so many of the nights, the first ones; `page` makes the report of the night of END.
    """
    _refuse_others(out)
    tables, truth, what = _whole(patients, seed)
    reviews: list[dict[str, Any]] = []
    folder = out
    for night in plan()[:last]:
        with tempfile.TemporaryDirectory(prefix="thyrisk-") as scratch:
            export = Path(scratch) / "export"
            told = [*_of_stories(night.day), *reviews]
            registry = Registry(_export_of(tables, night, told), truth, what)
            write_export(registry, export, mixed=True, extracted=night.extracted)
            words = "there already"
            if not _is_there(export, out, night):
                words = _run(export, out, night, page=page and night.day == END)
        tell(Told(night.day, words))
        folder = night_folder(out, night.day)
        if night.broken or night.day > _FIRST_DAILY:
            continue
        worklist = pl.read_parquet(folder / "worklist.parquet", hive_partitioning=False)
        rng = np.random.default_rng([seed, night.day.toordinal()])
        reviews += review(worklist, night.day, {story.patient_id for story in STORIES}, rng)
    return folder


def _whole(patients: int, seed: int) -> tuple[dict[str, pl.DataFrame], pl.DataFrame, pl.DataFrame]:
    """Return the tables with all that will ever be known, the truth, and what was soiled."""
    drawn = draw_registry(patients, seed)
    text = {
        name: frame.with_columns(
            cs.by_name(*TABLES[name].columns, require_all=False).cast(pl.String)
        )
        for name, frame in drawn.tables.items()
    }
    soiled, what = soil(text, DIRT, np.random.default_rng([seed, 99]))
    return with_stories(soiled, STORIES), drawn.truth, what


def _export_of(
    tables: dict[str, pl.DataFrame], night: Planned, reviews: list[dict[str, Any]]
) -> dict[str, pl.DataFrame]:
    known = as_known(tables, night.extracted)
    if night.broken:
        known["labs"] = known["labs"].head(known["labs"].height * 6 // 10)
    if reviews:
        known["reviews"] = reviews_table(reviews)
    return known


def _of_stories(day: date) -> Iterator[dict[str, Any]]:
    for story in STORIES:
        for one in story.reviews:
            if one["reviewed_at"] < str(day):
                yield {"patient_id": story.patient_id, **one}


def _run(export: Path, out: Path, night: Planned, *, page: bool) -> str:
    """Run a night; return what became of it in words. Only the last has a page: it is shown."""
    job = job_of(export, out, night.day, None, None, None, allow_future=True)
    job = replace(job, settings=job.settings.model_copy(update={"report": page}))
    try:
        result = run_night(job)
    except NightRefused:
        if not night.broken:
            raise
        return "refused: the export broke off"
    late = (night.day - night.extracted).days
    return f"{result.patients} patients" + (f", {late} days late" if late else "")


def _is_there(export: Path, out: Path, night: Planned) -> bool:
    """Tell whether a night was run before. Raises UsageError when it read another export."""
    run = read_run(night_folder(out, night.day))
    if run is None or night.broken:
        return run is not None
    manifest = json.loads((export / "manifest.json").read_bytes())
    mine, theirs = (sorted(one["sha256"] for one in of["files"]) for of in (manifest, run))
    if mine != theirs:
        raise UsageError(f"{out} holds other nights: choose another --out")
    return True


def _refuse_others(out: Path) -> None:
    """Raise UsageError unless the nights that are there are the first ones of the plan."""
    there = nights(out)
    days = dict.fromkeys(night.day for night in plan())
    if there != [night_folder(out, day) for day in days][: len(there)]:
        raise UsageError(f"{out} holds other nights: choose another --out")
