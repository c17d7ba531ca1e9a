"""How the registry's nights stand: the last good one, its age, what is running, what is next."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cronsim import CronSim
from rich.console import Console
from rich.filesize import decimal
from rich.table import Table

from flows.lock import LOCK, holder_of
from flows.published.nights import day_of, nights, read_run
from flows.settings import Settings
from flows.warehouse.parts import folder_of


@dataclass(frozen=True)
class Status:
    """What `thyrisk status` says; sizes in bytes, times in UTC."""

    last_night: str | None
    finished_at: str | None
    age_hours: float | None
    is_stale: bool
    patients: int | None
    to_review: int | None
    warnings: tuple[str, ...]
    nights: int
    bytes_of_nights: int
    bytes_of_warehouse: int
    running: str | None
    next_due: str

    def problems(self) -> Iterator[str]:
        """Yield why somebody should look."""
        if self.last_night is None:
            yield "no night was published yet"
        elif self.is_stale:
            yield f"the last good night ended {self.age_hours:.0f} hours ago"


def status_of(out: Path, warehouse: Path, settings: Settings, now: datetime) -> Status:
    """Return how the nights in a folder stand; it reads beside a night that is running."""
    folders = nights(out)
    whole = [(folder, report) for folder in folders if (report := read_run(folder))]
    folder, report = whole[-1] if whole else (None, {})
    age = None
    if report:
        age = (now - datetime.fromisoformat(report["finished_at"])) / timedelta(hours=1)
    return Status(
        last_night=None if folder is None else day_of(folder),
        finished_at=report.get("finished_at"),
        age_hours=None if age is None else round(age, 1),
        is_stale=age is None or age > settings.stale_after_hours,
        patients=report.get("patients"),
        to_review=report.get("to_review"),
        warnings=tuple(report.get("warnings", ())),
        nights=len(folders),
        bytes_of_nights=sum(_bytes(path) for night in folders for path in night.iterdir()),
        bytes_of_warehouse=sum(
            _bytes(path) for path in (warehouse, *folder_of(warehouse).rglob("*.parquet"))
        ),
        running=holder_of(out / LOCK),
        next_due=next(CronSim(settings.schedule, now.astimezone(UTC))).isoformat(),
    )


def _bytes(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def show_status(status: Status, console: Console) -> None:
    """Print it for people."""
    table = Table(show_header=False, box=None)
    age = "" if status.age_hours is None else f", {status.age_hours:g} hours ago"
    rows = {
        "last good night": f"{status.last_night or 'none'}{age}",
        "patients": status.patients,
        "on the worklist": status.to_review,
        "nights kept": f"{status.nights}, {decimal(status.bytes_of_nights)}",
        "warehouse": decimal(status.bytes_of_warehouse),
        "running now": status.running or "nothing",
        "next due": status.next_due,
    }
    for name, value in rows.items():
        table.add_row(name, "" if value is None else str(value))
    console.print(table)
    for warning in status.warnings:
        console.print(f"warning of that night: {warning}", style="yellow", markup=False)
    for problem in status.problems():
        console.print(problem, style="red", markup=False)


def as_json(status: Status) -> dict[str, object]:
    """Return it for a monitor."""
    return asdict(status) | {"problems": list(status.problems())}
