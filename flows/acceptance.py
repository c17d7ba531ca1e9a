"""Whether tonight is like the nights before it, and what lets a night through that is not."""

import json
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl

from flows.counts import FileCount
from flows.disk import sync
from flows.errors import NightRefused, UsageError
from flows.job import Tonight
from flows.published.nights import RUN, night_folder, nights, read_run, read_table
from flows.warehouse.taking_back import KEPT
from flows.warehouse.warehouse import Warehouse
from schemas.published import Profile, columns_of
from transforms.acceptance.compare import (
    change_of,
    compare,
    flags_moved,
    judged,
    patients_moved,
    standing,
)
from transforms.acceptance.tolerances import WORDS

REFUSED = "refused"
"""The folder beside the nights that remembers what was refused, and who was let through."""

_FIRST_DAY = date(1970, 1, 1)
_SHOWN = 5


@dataclass(frozen=True)
class Verdict:
    """What the comparison of a night with the nights before came to."""

    comparisons: list[dict[str, Any]] = field(default_factory=list)
    """Each with what, where, tonight, before, change and verdict."""
    compared_with: list[str] = field(default_factory=list)
    """The folders of the nights, oldest first."""
    accepted: dict[str, str] | None = None
    """When and why the night was let through, where it had been refused."""

    @property
    def found(self) -> list[dict[str, Any]]:
        """What is not fine."""
        return [one for one in self.comparisons if one["verdict"] != "fine"]

    @property
    def warnings(self) -> tuple[str, ...]:
        """What is not fine, in words; not why it was accepted, which may name a patient."""
        said = tuple(in_words(one) for one in self.found)
        if self.accepted is None:
            return said
        return (f"refused, and accepted on {self.accepted['at']}: {RUN} says why", *said)


@dataclass(frozen=True)
class Before:
    """An earlier night."""

    name: str
    run: dict[str, Any]
    profile: pl.DataFrame


def judge_night(
    tonight: Tonight,
    warehouse: Warehouse,
    figures: pl.DataFrame,
    risk: pl.DataFrame,
    files: Sequence[FileCount],
) -> Verdict:
    """Compare tonight with the nights before. Raises NightRefused when it is too different.

    A night that is run again from the warehouse was judged when it was new: that stays.
    """
    if tonight.replayed:
        return _judged_before(tonight)
    past = _past(tonight)
    changes = [
        compare(_with_files(figures, files, tonight), [_as_before(one, tonight) for one in past]),
        standing(list(_standing(tonight, figures, files, past))),
        change_of(list(_changed(tonight, warehouse))),
    ]
    if tonight.last is not None:
        ids = risk["patient_id"].cast(pl.String)
        changes.append(patients_moved(ids, tonight.last["patient_id"].cast(pl.String)))
        changes.append(flags_moved(risk, tonight.last))
    found = judged(pl.concat(changes), tonight.settings.acceptance)
    comparisons = [_shown(one) for one in found.iter_rows(named=True)]
    verdict = Verdict(comparisons, [one.name for one in past])
    if any(one["verdict"] == "refused" for one in comparisons):
        return _unless_accepted(tonight, verdict)
    return verdict


def _judged_before(tonight: Tonight) -> Verdict:
    run = read_run(night_folder(tonight.job.out, tonight.as_of))
    if run is None or run.get("run_id") != tonight.run_id:
        return Verdict()
    return Verdict(run.get("comparisons", []), run.get("compared_with", []), run.get("accepted"))


def _past(tonight: Tonight) -> list[Before]:
    """Return the last nights, oldest first, from the last one that had to be accepted."""
    found: list[Before] = []
    for folder in reversed(nights(tonight.job.out, before=tonight.as_of)):
        run, path = read_run(folder), folder / "profile.parquet"
        if run is None or not path.is_file():
            continue
        found.insert(0, Before(folder.name, run, read_table(path, tonight.keys)))
        if run.get("accepted") or len(found) == tonight.settings.acceptance.nights:
            break
    return found


def _with_files(
    figures: pl.DataFrame, files: Sequence[FileCount], tonight: Tonight
) -> pl.DataFrame:
    counted = [(one.table, one.file, one.rows_read) for one in files]
    return pl.concat([figures, _file_rows(counted, tonight)])


def _as_before(night: Before, tonight: Tonight) -> pl.DataFrame:
    counted = [(one["table"], one["file"], one["rows_read"]) for one in night.run["files"]]
    figures = night.profile.select(*columns_of(Profile)).cast(pl.Schema(columns_of(Profile)))
    return pl.concat([figures, _file_rows(counted, tonight)])


def _file_rows(counted: list[tuple[str, str, int]], tonight: Tonight) -> pl.DataFrame:
    """Return the rows of each file of tables that have several, as figures.

    A file's name may hold an identifier: under pseudonyms it is told by its place.
    """
    several: dict[str, list[tuple[str, int]]] = {}
    for table, file, rows in counted:
        several.setdefault(table, []).append((file, rows))
    named = tonight.keys.fingerprint is None
    return pl.DataFrame(
        [
            ("file_rows", f"{table}, file {file if named else number}", rows, rows)
            for table, theirs in several.items()
            for number, (file, rows) in enumerate(theirs, 1)
            if len(theirs) > 1 and table != KEPT
        ],
        schema=columns_of(Profile),
        orient="row",
    )


def _standing(
    tonight: Tonight, figures: pl.DataFrame, files: Sequence[FileCount], past: Sequence[Before]
) -> Iterator[tuple[str, str, float]]:
    newest = figures.filter(what="newest")["figure"].max()
    if isinstance(newest, float):
        day = _FIRST_DAY + timedelta(days=newest)
        yield "newest_age", "all tables", (tonight.as_of - day).days
    if tonight.extracted_on:
        yield "extraction_age", "manifest.json", (tonight.as_of - tonight.extracted_on).days
    same = 0
    mine = sorted(one.sha256 for one in files)
    for night in reversed(past):
        if sorted(one["sha256"] for one in night.run["files"]) != mine:
            break
        same += 1
    yield "identical_nights", "all files", same


def _changed(tonight: Tonight, warehouse: Warehouse) -> Iterator[tuple[str, str, float, float]]:
    earlier = [run for run in warehouse.published() if run.as_of < tonight.as_of]
    if not earlier or tonight.previous is None:
        return
    last = max(earlier, key=lambda run: (run.as_of, run.seq))
    if last.history_kept:
        for table, column, changed, of in warehouse.changed_cells(last.seq, tonight.seq):
            yield "cells_changed", f"{table}.{column}", changed, of


def _shown(one: dict[str, Any]) -> dict[str, Any]:
    """Return a comparison as run.json has it: days as dates."""
    if one["what"] == "newest_back":
        days = {name: _FIRST_DAY + timedelta(days=one[name]) for name in ("tonight", "before")}
        one = one | {name: str(day) for name, day in days.items()}
    return one


def in_words(one: dict[str, Any]) -> str:
    """Return a comparison as a sentence: where, both figures, and what was measured."""
    before = "" if one["before"] is None else f", before {_number(one['before'])}"
    limit = one["refused_from"]
    allowed = "" if limit is None else f", refused from {_number(limit)}"
    return (
        f"{one['where']}: {_number(one['tonight'])} tonight{before}; {one['what']} "
        f"({WORDS[one['what']]}) is {_number(one['change'])}{allowed}"
    )


def _number(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:,.4g}" if value < 1000 else f"{value:,.0f}"


# -- what was refused, and let through ---------------------------------------------------------


def _record(out: Path, day: object) -> Path:
    return out / REFUSED / f"{day}.json"


def _unless_accepted(tonight: Tonight, verdict: Verdict) -> Verdict:
    path = _record(tonight.job.out, tonight.as_of)
    record = _read(path)
    if record and record["run_id"] == tonight.run_id and record["accepted"]:
        return Verdict(verdict.comparisons, verdict.compared_with, record["accepted"])
    _write(
        path,
        {
            "run_id": tonight.run_id,
            "as_of": str(tonight.as_of),
            "refused_at": tonight.started_at.isoformat(timespec="seconds"),
            "findings": verdict.found,
            "accepted": None,
        },
    )
    raise NightRefused(_refusal(tonight, verdict))


def _refusal(tonight: Tonight, verdict: Verdict) -> str:
    refused = [in_words(one) for one in verdict.found if one["verdict"] == "refused"]
    more = f"\n  and {len(refused) - _SHOWN} more" if len(refused) > _SHOWN else ""
    out = shlex.quote(str(tonight.job.out))
    return (
        "tonight is too different from the nights before:\n  "
        + "\n  ".join(refused[:_SHOWN])
        + more
        + "\nIs the export the right one, whole, in the right units? If it is, "
        f"`thyrisk accept {tonight.as_of} --out {out} --why TEXT` and run the night again."
    )


def accept(out: Path, day: date, why: str) -> str:
    """Let the refused night of a date through; return its run id. Raises UsageError.

    Only the very night that was refused: another export, setting or version is judged anew.
    """
    path = _record(out, day)
    record = _read(path)
    if record is None:
        raise UsageError(f"no night of {day} was refused in {out}: there is nothing to accept")
    if not why.strip():
        raise UsageError("--why: say why this night is right; it is kept with the night")
    at = datetime.now(UTC).isoformat(timespec="seconds")
    _write(path, record | {"accepted": {"at": at, "why": why.strip()}})
    return str(record["run_id"])


def _read(path: Path) -> dict[str, Any] | None:
    try:
        record: dict[str, Any] = json.loads(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValueError):
        raise UsageError(f"{path} cannot be read; remove it and run the night again") from None
    return record


def _write(path: Path, record: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_suffix(".new")
    aside.write_text(json.dumps(record, indent=2, ensure_ascii=False) + "\n", "utf-8")
    sync(aside)
    aside.replace(path)
    sync(path.parent)
