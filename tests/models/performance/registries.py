"""Simulated registries of whom the truth is known, through the code that a validation runs.

    python -m tests.models.performance.registries 500

The patients are those of a night on flows.synth whom the shipped models score. Each repeat draws
600 of them and what comes of them: survival by the model's own hazards, RR-DTC by its probability
(within ten years, evenly, death before it competing), and when each is lost to follow-up. Printed
is how often the 95 % intervals of each way of validating held the truth, that of very many
patients who are followed to the end.
"""

import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl

from flows.job import Job
from flows.landmarks import Registry, ways
from flows.night import run_night
from flows.published.nights import read_table
from flows.secrets import NO_KEYS
from flows.settings import Settings
from flows.synth import synthesise
from flows.synth.columns import END
from flows.synth.files import write_export
from models.engine import score
from models.performance.evaluation import Options
from models.performance.followup import Array
from models.performance.hazard import SURVIVALS, hazards
from models.performance.plain import evaluate_plain
from models.performance.with_followup import evaluate_followup
from models.spec import Model, library
from tests.models.performance.simulation import UNSIGNED
from tests.registry import COLLECTED
from tests.registry import Registry as Built
from transforms.variables.evidence import Record
from transforms.variables.windows import Windows

INDEX = date(2005, 1, 1)
MANY = 100_000
OPTIONS = Options(minimum_events=0, repeats=0, thresholds=(0.2,))
HORIZON = 5.0
WORLDS = (
    ("jin2025_os", "1"),
    ("jin2025_os", "paper"),
    ("jin2025_pfs", "1"),
    ("liu2022_nomogram", "first-131i"),
    ("liu2022_nomogram", "paper"),
)
"""Which model, by which landmark."""


@dataclass(frozen=True)
class Drawn(Registry):
    """A registry whose variables were drawn: they are the same on every day."""

    drawn: pl.DataFrame = field(default_factory=pl.DataFrame)

    def features(self, record: Record) -> pl.DataFrame:
        """Return the variables that were drawn."""
        return self.drawn


def pool(patients: int) -> pl.DataFrame:
    """Return the variables of a synthetic registry: one row per patient."""
    with tempfile.TemporaryDirectory() as place:
        root = Path(place)
        write_export(synthesise(patients, 1, stress=False), root / "export")
        settings = Settings(report=False, memory="4GB")
        job = Job(root / "export", root, END, root / "warehouse.duckdb", COLLECTED, settings)
        folder = run_night(job).folder
        return read_table(folder / "features.parquet", NO_KEYS)


def scored(pool: pl.DataFrame, model: Model) -> pl.DataFrame:
    """Return those whom the model scores, with what it predicts."""
    made = score(pool, model, Windows().model_dump()).filter(pl.col("status") == "scored")
    kept = made.select("patient_id", *(n for n in (*SURVIVALS, "probability") if n in made.columns))
    return pool.join(kept, on="patient_id")


def registry(
    among: pl.DataFrame,
    model: Model,
    n: int,
    chance: np.random.Generator,
    censored: bool,
    at_once: bool = False,
) -> Registry:
    """Return a registry of n patients drawn anew, with outcomes as the model says.

    `at_once`: RR-DTC is met or not when anybody looks, as the paper's cross-section has it.
    """
    some = among[chance.integers(0, among.height, n)]
    end = chance.uniform(1, 14, n) if censored else np.full(n, 19.0)
    names = [f"P{number}" for number in range(n)]
    some = some.with_columns(
        patient_no=pl.Series(range(n), dtype=pl.UInt32), patient_id=pl.Series(names),
        index_date=pl.lit(INDEX), courses=pl.lit(2),
    )  # fmt: skip
    told = _survival(some, model, chance, end) if model.outcome != "rrdtc" else None
    drawn = some.with_columns(**(told or _rrdtc(some, chance, end, at_once)))
    empty = Built().record()
    return Drawn(
        empty, empty.hidden, Windows(), drawn.select("patient_no", "patient_id"), None, drawn
    )


def _survival(
    some: pl.DataFrame, model: Model, chance: np.random.Generator, end: Array
) -> dict[str, pl.Series]:
    hazard = hazards(some.select(pl.col(SURVIVALS).cast(pl.Float64)).to_numpy())
    due = chance.exponential(1, len(end))
    knots = np.array([0.0, 3.0, 5.0, 10.0])
    at = np.clip((due[:, None] >= hazard).sum(axis=1) - 1, 0, 2)
    row = np.arange(len(end))
    rate = (hazard[row, at + 1] - hazard[row, at]) / (knots[at + 1] - knots[at])
    time = knots[at] + (due - hazard[row, at]) / rate
    return {
        f"{model.outcome}_months": pl.Series(np.minimum(time, end) * 12),
        f"{model.outcome}_event": pl.Series(time <= end),
    }


def _rrdtc(
    some: pl.DataFrame, chance: np.random.Generator, end: Array, at_once: bool
) -> dict[str, pl.Series]:
    p = some["probability"].cast(pl.Float64).to_numpy()
    latest = 0.06 if at_once else 10
    met = np.where(chance.uniform(size=len(p)) < p, chance.uniform(0.05, latest, len(p)), np.inf)
    death = 0.1 + chance.exponential(1, len(p)) / 0.03
    stop = np.minimum(death, end)
    days = np.round(np.where(met <= stop, met, 0) * 365.25).astype(int)
    day = pl.Series([INDEX] * len(p)) + pl.Series(days).cast(pl.Int64) * pl.duration(days=1)
    return {
        "rrdtc_met": pl.Series(met <= stop),
        "rrdtc_met_date": day,
        "follow_up_months": pl.Series(stop * 12),
        "os_event": pl.Series(death <= end),
    }


def evaluated(made: Registry, model: Model, landmark: str) -> pl.DataFrame:
    """Return the figures of one way at five years."""
    way = next(ways(model, made, Path("/nowhere"), NO_KEYS, landmark))
    if "y" in way.frame.columns:
        done = evaluate_plain(way.frame, OPTIONS)
    else:
        done = evaluate_followup(way.frame.filter(horizon=HORIZON), HORIZON, OPTIONS)
    return done.figures.select("measure", "estimate", "lower", "upper")


def truth(among: pl.DataFrame, model: Model, landmark: str, many: int = MANY) -> dict[str, float]:
    """Return the figures of very many; of Harrell's C those of very many so censored."""
    known, censored = (
        dict(evaluated(made, model, landmark).select("measure", "estimate").rows())
        for how in (False, True)
        for made in [
            registry(among, model, many, np.random.default_rng(1), how, landmark == "paper")
        ]
    )
    harrell = {name: value for name, value in censored.items() if name.startswith("harrell")}
    right = {"oe": 1.0, "oe_expected_known": 1.0, "intercept": 0.0, "slope": 1.0}
    exact = right if model.outcome != "rrdtc" or landmark == "paper" else {}
    return known | harrell | exact


def coverage(
    among: pl.DataFrame, model: Model, landmark: str, repeats: int, many: int = MANY, n: int = 600
) -> Iterator[tuple[str, float, int]]:
    """Yield how often each interval held the truth, and of how many."""
    among = scored(among, model)
    known, chance = truth(among, model, landmark, many), np.random.default_rng(2)
    held: Counter[str] = Counter()
    made: Counter[str] = Counter()
    for _ in range(repeats):
        drawn = registry(among, model, n, chance, True, landmark == "paper")
        for measure, _, lower, upper in evaluated(drawn, model, landmark).iter_rows():
            if lower is not None and measure not in UNSIGNED:
                made[measure] += 1
                held[measure] += lower <= known[measure] <= upper
    for measure in made:
        yield measure, held[measure] / made[measure], made[measure]


if __name__ == "__main__":
    everybody = pool(20_000)
    for name, landmark in WORLDS:
        for told in coverage(everybody, library()[name], landmark, int(sys.argv[1])):
            print(f"{name:17} {landmark:11} {told[0]:20} {told[1]:.3f} of {told[2]}", flush=True)  # noqa: T201
