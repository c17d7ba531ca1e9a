"""Taking back the newest night: out of readers' sight, and out of the warehouse.

What was published is kept, in OUT/.withdrawn/DATE.N/run_date=DATE, with the why beside it. The
rename of its folder is the instant in which the night is gone for readers; what a kill leaves
undone after it, the next command that has the lock does.
"""

import json
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import polars as pl

from flows.disk import sync
from flows.errors import UsageError, told
from flows.history import settle_unfinished
from flows.lock import LOCK, held
from flows.outputs import MART
from flows.published.nights import day_of, night_folder, nights, read_table, report_of
from flows.published.write import point_latest, refuse_unless_link
from flows.secrets import NO_KEYS, Keys
from flows.warehouse.warehouse import Run, Warehouse

WITHDRAWN = ".withdrawn"
"""Where withdrawn nights are kept: no reader looks there."""

_ASKED, _DONE = "withdrawing.json", "withdrawn.json"


@dataclass(frozen=True)
class Withdrawal:
    """That a night was taken back, and why."""

    folder: str
    """The name that the night had."""
    why: str
    at: str
    seqs: list[int]
    """Its numbers in the warehouse: more than one where it was run again."""


def withdraw(
    out: Path, warehouse: Path, day: str, why: str, memory: str, keys: Keys = NO_KEYS
) -> Path:
    """Take back the newest night; return where its files are kept.

    Raises UsageError when there is no such night or a newer one, NightRunning while one runs.
    """
    if not why.strip():
        raise UsageError("--why is empty: say why, for those who come after")
    locks = (out / LOCK, warehouse.with_name(warehouse.name + ".lock"))
    with told(out):
        if not warehouse.is_file():
            raise UsageError(f"no warehouse at {warehouse}")
        with (
            held(*locks, holder=f"withdrawal of {day}"),
            tempfile.TemporaryDirectory() as scratch,
            Warehouse(warehouse, memory, Path(scratch), keys) as open_warehouse,
        ):
            refuse_unless_link(out)
            settle_withdrawals(out, open_warehouse, keys)
            settle_unfinished(out, open_warehouse)
            folder = _newest(out, day)
            runs = [r for r in open_warehouse.published() if str(r.as_of) == day]
            place = _ask(out, Withdrawal(folder.name, why, _now(), [run.seq for run in runs]))
            point_latest(out, but=folder)
            kept = place / folder.name
            folder.rename(kept)
            sync(out)
            sync(place)
            settle_withdrawals(out, open_warehouse, keys)
    return kept


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _newest(out: Path, day: str) -> Path:
    folders = nights(out)
    folder = night_folder(out, day)
    if folder not in folders:
        raise UsageError(f"no published night of {day} in {out}")
    if folder != folders[-1]:
        raise UsageError(
            f"the newest night is of {day_of(folders[-1])}: nights are withdrawn from the newest "
            f"back, as each is compared with the one before it"
        )
    return folder


def _ask(out: Path, withdrawal: Withdrawal) -> Path:
    """Write down what is to be done, where the night will be kept."""
    below = out / WITHDRAWN
    below.mkdir(mode=0o700, exist_ok=True)
    number = sum(1 for _ in below.glob(f"{day_of(Path(withdrawal.folder))}.*")) + 1
    place = below / f"{day_of(Path(withdrawal.folder))}.{number}"
    place.mkdir(mode=0o700)
    asked = place / _ASKED
    asked.touch(mode=0o600)
    asked.write_text(json.dumps(asdict(withdrawal), indent=2, ensure_ascii=False), "utf-8")
    for path in (asked, place, below, out):
        sync(path)
    return place


def settle_withdrawals(out: Path, warehouse: Warehouse, keys: Keys) -> None:
    """Finish withdrawals that were killed after the night was moved; forget those before."""
    for asked in sorted(out.glob(f"{WITHDRAWN}/*/{_ASKED}")):
        withdrawal = _read(asked)
        if withdrawal is None or not (asked.parent / withdrawal.folder).is_dir():
            asked.unlink()
            asked.parent.rmdir()
            point_latest(out)
            continue
        runs = warehouse.published()
        theirs = [run.seq for run in runs if run.seq in withdrawal.seqs]
        if theirs:
            left = [run for run in runs if run.seq not in theirs]
            at = datetime.fromisoformat(withdrawal.at)
            warehouse.withdraw(theirs, at, withdrawal.why, mart_of(out, left, keys))
        asked.rename(asked.with_name(_DONE))
        sync(asked.parent)


def _read(asked: Path) -> Withdrawal | None:
    try:
        return Withdrawal(**json.loads(asked.read_text("utf-8")))
    except (OSError, ValueError, TypeError):  # killed while it was written
        return None


def mart_of(out: Path, left: Sequence[Run], keys: Keys) -> pl.DataFrame:
    """Return what the last night that is left said of its patients, where it is still published."""
    if not left:
        return pl.DataFrame()
    folder = night_folder(out, left[-1].as_of)
    report = report_of(folder)
    if report is None or report.run_id != left[-1].run_id:
        return pl.DataFrame()
    published = read_table(folder / "patient_risk.parquet", keys, columns=list(MART))
    return published.select(name for name in MART if name in published.columns)
