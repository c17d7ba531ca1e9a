"""How much better a model looks on the data that it was developed on: the bootstrap's optimism.

Each sample, drawn with replacement, repeats the whole development: univariable tests, stepwise
selection, fit. Its figure on the sample minus its figure on all data is what was too good; the mean
of that is taken from the apparent figure. Without the selection in it the optimism is too small.
Source: Harrell, Lee and Mark 1996, Statistics in Medicine 15:361.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from models.performance.cox import NotFitted
from models.performance.followup import Array
from models.performance.selecting import SEED, Outcome, Rows, Steps, Term, columns_of, selected


@dataclass(frozen=True)
class Corrected:
    """A figure as it looks, what was too good of it, and over how many samples."""

    measure: str
    apparent: float
    optimism: float
    samples: int

    @property
    def corrected(self) -> float:
        """The figure without what was too good."""
        return self.apparent - self.optimism


@dataclass(frozen=True)
class Resampled:
    """The corrected figures, of ridge too, and how often each predictor was chosen."""

    figures: list[Corrected]
    ridge: list[Corrected]
    chosen: dict[str, float]
    """Share of the samples whose selection kept the predictor."""
    not_fitted: int
    """Samples that could not be fitted: the hard ones, so that optimism is too small."""


def samples(n: int, repeats: int) -> Iterator[Rows]:
    """Yield the rows of each sample of n patients; always the same ones."""
    chance = np.random.default_rng(SEED)
    for _ in range(repeats):
        yield chance.integers(0, n, n)


def resample(
    outcome: Outcome,
    x: Array,
    terms: Sequence[Term],
    steps: Steps,
    penalty: float,
    drawn_rows: Iterable[Rows],
) -> Resampled:
    """Repeat the development in samples of the rows; of ridge the penalty stays. Raises NotFitted.

    Samples in which nothing can be fitted are left out and not replaced.
    """
    whole = _developed(outcome, x, terms, steps)
    shrunk = outcome.fit(x, penalty * np.var(x, axis=0)).coefficients
    drawn: list[tuple[float, float]] = []
    drawn_ridge: list[tuple[float, float]] = []
    failed = 0
    chosen = dict.fromkeys((term.name for term in terms), 0)
    for rows in drawn_rows:
        sample, own_x = outcome.take(rows), x[rows]
        try:
            kept, beta = _developed(sample, own_x, terms, steps)
            own = sample.fit(own_x, penalty * np.var(own_x, axis=0)).coefficients
            drawn.append(_too_good(outcome, x, sample, own_x, beta))
            drawn_ridge.append(_too_good(outcome, x, sample, own_x, own))
        except NotFitted:
            failed += 1
            continue
        for term in kept:
            chosen[term.name] += 1
    if not drawn:
        raise NotFitted("no sample of the bootstrap")
    count = len(drawn)
    return Resampled(
        _corrected(outcome, x, whole[1], drawn),
        _corrected(outcome, x, shrunk, drawn_ridge),
        {name: n / count for name, n in chosen.items()},
        failed,
    )


def _developed(
    outcome: Outcome, x: Array, terms: Sequence[Term], steps: Steps
) -> tuple[list[Term], Array]:
    """Return the predictors that are chosen, and the coefficients of all columns, else 0."""
    _, kept, _ = selected(outcome, x, terms, steps)
    beta = np.zeros(x.shape[1])
    if kept:
        of = columns_of(kept)
        beta[of] = outcome.fit(x[:, of]).coefficients
    return kept, beta


def _too_good(
    outcome: Outcome, x: Array, sample: Outcome, own_x: Array, beta: Array
) -> tuple[float, float]:
    """Return by how much C and slope of a sample's model are better on it than on all data."""
    if not beta.any():
        return 0.0, np.nan
    c = sample.c(own_x @ beta) - outcome.c(x @ beta)
    return c, sample.slope(own_x @ beta) - outcome.slope(x @ beta)


def _corrected(
    outcome: Outcome, x: Array, beta: Array, drawn: Sequence[tuple[float, float]]
) -> list[Corrected]:
    linear, each = x @ beta, np.array(drawn)
    apparent = outcome.c(linear), outcome.slope(linear)
    return [
        Corrected(name, value, float(np.nanmean(found)), int(np.isfinite(found).sum()))
        for name, value, found in zip(("c", "slope"), apparent, each.T, strict=True)
    ]
