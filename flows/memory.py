"""Whether the memory is enough for an export, told before the work and not in the middle."""

from pathlib import Path

from flows.errors import NightError
from flows.intake.export import Export
from flows.sizes import bytes_of

_ALWAYS = 500_000_000
_PER_BYTE_OF_TEXT = 5
_UNPACKS_TO = 8
"""Measured: bench/RESULTS.md has the peaks, of which these are the base and the slope."""


def needed_for(export: Export) -> int:
    """Estimate the bytes of memory that a night needs, from the sizes of the export's files."""
    text = sum(
        file.bytes * (_UNPACKS_TO if file.is_parquet or file.is_gzip else 1)
        for file in {
            f.path: f for fs in (*export.files.values(), *export.sources.values()) for f in fs
        }.values()
    )
    return _ALWAYS + _PER_BYTE_OF_TEXT * text


def available(root: Path = Path("/")) -> int | None:
    """Return the bytes of memory that this process may still get; None where nobody says."""
    found = [*_of_machine(root), *_of_group(root)]
    return min(found, default=None)


def _of_machine(root: Path) -> list[int]:
    try:
        lines = (root / "proc/meminfo").read_text().splitlines()
        kilobytes = {name: int(rest.split()[0]) for name, rest in (x.split(":") for x in lines)}
        return [(kilobytes["MemAvailable"] + kilobytes.get("SwapFree", 0)) * 1024]
    except (OSError, ValueError, LookupError):
        return []


def _of_group(root: Path) -> list[int]:
    """Return what the control group leaves, as a container has one: version 2, else 1.

    What it holds of files can be let go, and counts as free.
    """
    group = root / "sys/fs/cgroup"
    for limit, used, counters in (
        ("memory.max", "memory.current", "memory.stat"),
        (
            "memory/memory.limit_in_bytes",
            "memory/memory.usage_in_bytes",
            "memory/memory.stat",
        ),
    ):
        try:
            most, now = (int((group / name).read_text()) for name in (limit, used))
            stat = dict(line.split() for line in (group / counters).read_text().splitlines())
            return [most - now + int(stat.get("inactive_file", 0))]
        except (OSError, ValueError):  # none, or "max"
            continue
    return []


def refuse_if_too_little(export: Export, allowed: str | None) -> None:
    """Raise NightError when the export needs more memory than there is, or than is `allowed`."""
    there = available() if allowed is None else bytes_of(allowed)
    needed = needed_for(export)
    if there is not None and needed > there:
        raise NightError(
            f"this export needs about {needed / 1e9:.1f} GB of memory, and there is "
            f"{there / 1e9:.1f} GB: free some, or take a larger machine. Nothing was begun. The "
            f"estimate is rough; the setting `memory`, as memory = {_rounded(needed)!r}, "
            f"overrides what there is."
        )


def _rounded(amount: int) -> str:
    return f"{amount // 10**9 + 1}GB"
