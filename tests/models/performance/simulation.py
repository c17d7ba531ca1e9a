"""Patients whose true risks are known, and how often an interval holds the true figure.

    python -m tests.models.performance.simulation 500

repeats all three worlds 500 times and prints the coverage of every 95 % interval.
"""

import sys
from collections import Counter
from collections.abc import Callable

import numpy as np
import polars as pl

from models.performance.evaluation import Options
from models.performance.plain import evaluate_plain
from models.performance.with_followup import evaluate_followup

HORIZON, CUTOFF = 5.0, 0.3
MANY = 400_000
UNSIGNED = ("ici", "e50", "e90")
"""Distances: above 0 even where the truth is 0, so their intervals cannot hold it."""
OPTIONS = Options(minimum_events=0, cutoff=CUTOFF, repeats=0, thresholds=(0.2,))

World = Callable[[np.random.Generator, int, bool], pl.DataFrame]


def followed(chance: np.random.Generator, n: int, censored: bool) -> pl.DataFrame:
    """Exponential times of one event, most patients censored before ten years."""
    linear = chance.normal(0, 0.9, n)
    time = chance.exponential(1, n) / (0.06 * np.exp(linear))
    end = chance.uniform(1, 10, n) if censored else np.full(n, 1e9)
    return pl.DataFrame(
        {
            "time": np.minimum(time, end),
            "event": (time <= end).astype(int),
            "risk": 1 - np.exp(-0.06 * HORIZON * np.exp(linear)),
        }
    )


def competing(chance: np.random.Generator, n: int, censored: bool) -> pl.DataFrame:
    """The same with death before the event, at times in whole months (heavy ties)."""
    linear = chance.normal(0, 0.9, n)
    hazard, other = 0.08 * np.exp(linear), 0.04
    time = chance.exponential(1, n) / (hazard + other)
    kind = np.where(chance.uniform(size=n) < hazard / (hazard + other), 1, 2)
    end = np.ceil(12 * chance.uniform(1, 10, n)) / 12 if censored else np.full(n, 1e9)
    months = np.ceil(12 * time) / 12
    happened = months <= end
    incidence = hazard / (hazard + other) * (1 - np.exp(-HORIZON * (hazard + other)))
    return pl.DataFrame(
        {
            "time": np.minimum(months, end),
            "event": np.where(happened, kind, 0),
            "risk": incidence,
        }
    )


def plain(chance: np.random.Generator, n: int, censored: bool) -> pl.DataFrame:
    """A plain outcome."""
    p = 1 / (1 + np.exp(-chance.normal(-0.5, 1.2, n)))
    return pl.DataFrame({"y": (chance.uniform(size=n) < p).astype(int), "p": p})


WORLDS: dict[str, World] = {"followed": followed, "competing": competing, "plain": plain}


def figures(frame: pl.DataFrame, options: Options = OPTIONS) -> pl.DataFrame:
    """Return the figures of a frame, with the net benefit at 20 % among them."""
    if "y" in frame.columns:
        made = evaluate_plain(frame, options)
    else:
        made = evaluate_followup(frame, HORIZON, options)
    net = made.decision_curve.select(
        pl.lit("net_benefit").alias("measure"), pl.col("net_benefit").alias("estimate"),
        "lower", "upper",
    )  # fmt: skip
    return pl.concat([made.figures.select("measure", "estimate", "lower", "upper"), net])


def truth(world: World, many: int = MANY) -> dict[str, float]:
    """Return the figures of very many patients of whom all is known.

    But Harrell's C hangs on how patients are censored: its truth is that of many so censored.
    """
    known, censored = (
        dict(
            figures(world(np.random.default_rng(1), many, how)).select("measure", "estimate").rows()
        )
        for how in (False, True)
    )
    harrell = {name: value for name, value in censored.items() if name.startswith("harrell")}
    exact = {"oe": 1.0, "oe_expected_known": 1.0, "intercept": 0.0, "slope": 1.0}
    return known | harrell | exact


def coverage(
    world: World, repeats: int, n: int, seed: int = 2, many: int = MANY
) -> dict[str, float]:
    """Return how often each interval held the truth."""
    known, chance = truth(world, many), np.random.default_rng(seed)
    held: Counter[str] = Counter()
    made: Counter[str] = Counter()
    for _ in range(repeats):
        for measure, _, lower, upper in figures(world(chance, n, True)).iter_rows():
            if lower is not None and measure not in UNSIGNED:
                made[measure] += 1
                held[measure] += lower <= known[measure] <= upper
    return {measure: held[measure] / made[measure] for measure in made}


if __name__ == "__main__":
    for name, world in WORLDS.items():
        for measure, share in coverage(world, int(sys.argv[1]), 600).items():
            print(f"{name:10} {measure:20} {share:.3f}")  # noqa: T201
