"""Measure the night against the floor: a plain polars CSV-to-parquet copy of the same files.

Everything is measured in one run on one machine, each in a process of its own, and reported as
ratios. Run with `make bench`; sizes can be given: `python -m bench.night 100000 1000000`.
"""

import json
import os
import platform
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from bench import peers

HERE = Path(__file__).parent
WORK = HERE / "work"
THYRISK = Path(sys.executable).with_name("thyrisk")
AS_OF = "2026-06-30"
FLOOR = """
import sys, pathlib, polars as pl
source, target = map(pathlib.Path, sys.argv[1:])
for path in sorted(source.glob("*.csv")):
    pl.scan_csv(path, infer_schema=False).sink_parquet(target / f"{path.stem}.parquet")
"""


@dataclass
class Cost:
    """What a process took."""

    wall: float
    cpu: float
    peak_gb: float


def measured(command: list[str]) -> Cost:
    start = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.monotonic() - start
    if status:
        raise SystemExit(f"{command[:4]} ended with {os.waitstatus_to_exitcode(status)}")
    return Cost(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1e6)


def export_of(patients: int) -> Path:
    folder = WORK / f"export-{patients}"
    if not (folder / "manifest.json").exists():
        subprocess.run(
            [str(THYRISK), "synth", "--patients", str(patients), "--seed", "11"]
            + ["--dirt", "0.002", "--stress", "--out", str(folder)],
            check=True,
        )
    return folder


def fresh(name: str) -> Path:
    folder = WORK / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def night_of(patients: int) -> tuple[Cost, Cost, Cost, dict[str, float], int]:
    """Measure floor, first night and second night (same export) of so many patients."""
    export = export_of(patients)
    megabytes = sum(path.stat().st_size for path in export.glob("*.csv")) // 1_000_000
    copy = fresh("copy")
    floor = measured([sys.executable, "-c", FLOOR, str(export), str(copy)])
    out = fresh("out")
    command = [str(THYRISK), "nightly", "--export", str(export), "--out", str(out)]
    first = measured([*command, "--as-of", AS_OF, "--no-server"])
    report = json.loads((out / f"run_date={AS_OF}" / "run.json").read_text())
    second = measured([*command, "--as-of", "2026-07-01", "--no-server"])
    return floor, first, second, report["seconds"], megabytes


def main() -> None:
    sizes = [int(size) for size in sys.argv[1:]] or [100_000, 1_000_000]
    lines = [
        "# Benchmark results",
        "",
        "Written by `make bench`; see `bench/night.py` for what is measured.",
        "",
        f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores, Python "
        f"{platform.python_version()}, "
        + ", ".join(f"{name} {version(name)}" for name in ("polars", "duckdb", "pandera")),
        "",
        "The floor is a plain polars CSV-to-parquet copy of the same files in the same run.",
        "",
        "| patients | export | what | wall s | of floor | CPU s | of floor | peak GB |",
        "| ---: | ---: | --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    walls, stages = [], {}
    for patients in sizes:
        floor, first, second, stages, megabytes = night_of(patients)
        walls.append(first.wall)
        for what, cost in (("floor", floor), ("first night", first), ("same export again", second)):
            lines.append(
                f"| {patients:,} | {megabytes} MB | {what} | {cost.wall:.1f} "
                f"| {cost.wall / floor.wall:.1f} | {cost.cpu:.1f} | {cost.cpu / floor.cpu:.1f} "
                f"| {cost.peak_gb:.2f} |"
            )
    if len(sizes) > 1:
        growth = (walls[-1] / walls[0]) / (sizes[-1] / sizes[0])
        lines += ["", f"Growth from {sizes[0]:,} to {sizes[-1]:,} patients: "]
        lines[-1] += f"{growth:.2f} of linear (below 1 is better than linear)."
    lines += ["", f"Stages of the first night of {sizes[-1]:,} patients, seconds:", ""]
    lines += ["| stage | s |", "| --- | ---: |"]
    lines += [f"| {name} | {seconds:.1f} |" for name, seconds in stages.items()]
    features = WORK / "out" / f"run_date={AS_OF}" / "features.parquet"
    lines += ["", *peers.compare(features)]
    (HERE / "RESULTS.md").write_text("\n".join(lines) + "\n", "utf-8")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
