"""Outcomes that a model can be developed on, and the papers' way of choosing its predictors.

- **Univariable**: each predictor alone, all its levels together; those below 5 % go on.
- **Multivariable**: stepwise in both directions from nothing. The predictor with the smallest
  p-value below `enter` comes in, then those at or above `leave` go out, the largest first, until
  nothing changes. Jin 2025: bidirectional, 5 %; Liu 2022: forward, 5 % in and 10 % out.
  A predictor whose fit is not determined (separation) stays out.
- p-values are of likelihood ratios; where outcomes are weighted for censoring, of Wald's test with
  the sandwich covariance.
- **Ridge** beside it: every candidate stays, coefficients (per standard deviation) shrunk by the
  penalty that predicts left-out tenths best (Verweij and van Houwelingen 1993, Statistics in
  Medicine 12:2305); stepwise selection is unstable, and its coefficients are too large.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray
from scipy.stats import chi2

from models.performance import cox, logistic
from models.performance.concordance import harrell
from models.performance.cox import NotFitted
from models.performance.followup import EVENT, Array, Followup

Rows = NDArray[np.int64]
SEED = 20260630
FOLDS = 10
PENALTIES = np.geomspace(0.01, 1000, 16)


@dataclass(frozen=True)
class Fitted:
    """Coefficients of the columns, their covariance, the log likelihood; an intercept if any."""

    coefficients: Array
    covariance: Array
    log_likelihood: float
    intercept: float = 0.0
    intercept_error: float = 0.0


class Outcome(Protocol):
    """What came of patients, in the way that a family of models takes it."""

    @property
    def is_weighted(self) -> bool:
        """Whether outcomes are weighted for censoring."""
        ...

    def __len__(self) -> int: ...
    def take(self, rows: Rows) -> Self:
        """Return the outcome of some of the patients."""
        ...

    def fit(self, x: Array, penalty: Array | None = None) -> Fitted:
        """Fit the columns of x. Raises NotFitted."""
        ...

    def log_likelihood(self, x: Array, fitted: Fitted) -> float:
        """Return the log likelihood of a fit on these patients."""
        ...

    def c(self, linear: Array) -> float:
        """Return how often the worse prediction has the worse outcome."""
        ...

    def slope(self, linear: Array) -> float:
        """Return the calibration slope of a linear predictor. Raises NotFitted."""
        ...


@dataclass(frozen=True)
class Survival:
    """Watched from `entry` to `time`, both on one clock. C is of the time since entry."""

    outcomes: Followup
    entry: Array

    @property
    def is_weighted(self) -> bool:
        """Nobody is weighted: late entry and censoring are in the likelihood."""
        return False

    def __len__(self) -> int:
        return len(self.entry)

    def take(self, rows: Rows) -> "Survival":
        """Return the outcome of some of the patients."""
        return Survival(self.outcomes[rows], self.entry[rows])

    def cox(self, x: Array, penalty: Array | None = None) -> cox.Cox:
        """Fit a Cox model with late entry. Raises NotFitted."""
        return cox.fit(self.outcomes, x, entry=self.entry, penalty=penalty)

    def fit(self, x: Array, penalty: Array | None = None) -> Fitted:
        """Fit the columns of x. Raises NotFitted."""
        made = self.cox(x, penalty)
        return Fitted(made.coefficients, made.covariance, made.log_likelihood)

    def log_likelihood(self, x: Array, fitted: Fitted) -> float:
        """Return the log partial likelihood of a fit on these patients."""
        sets = cox.RiskSets(self.outcomes, x, np.zeros(len(x)), self.entry)
        return float(sets.likelihood(fitted.coefficients)[0])

    def c(self, linear: Array) -> float:
        """Return Harrell's C."""
        return harrell(self.since_entry, linear).c

    def slope(self, linear: Array) -> float:
        """Return the Cox model's coefficient of the linear predictor. Raises NotFitted."""
        return float(self.cox(linear[:, None]).coefficients[0])

    @property
    def since_entry(self) -> Followup:
        """The follow-up since each patient's entry."""
        return Followup(self.outcomes.time - self.entry, self.outcomes.event)

    @property
    def events(self) -> Array:
        """Who had the event."""
        return np.asarray((self.outcomes.event == EVENT) * 1.0)


@dataclass(frozen=True)
class Chance:
    """Yes or no; `weight` stands for those who were censored before it was known."""

    y: Array
    weight: Array | None = None

    @property
    def is_weighted(self) -> bool:
        """Whether outcomes are weighted for censoring."""
        return self.weight is not None

    def __len__(self) -> int:
        return len(self.y)

    def take(self, rows: Rows) -> "Chance":
        """Return the outcome of some of the patients."""
        return Chance(self.y[rows], None if self.weight is None else self.weight[rows])

    def fit(self, x: Array, penalty: Array | None = None) -> Fitted:
        """Fit an intercept and the columns of x. Raises NotFitted."""
        design = np.column_stack([np.ones(len(x)), x])
        drawn = None if penalty is None else np.concatenate([[0.0], penalty])
        none = np.zeros(len(x))
        made = logistic.fit(self.y, design, none, weight=self.weight, penalty=drawn)
        first, covariance = made.coefficients[0], made.covariance
        error = float(np.sqrt(covariance[0, 0]))
        rest = made.coefficients[1:], covariance[1:, 1:]
        return Fitted(*rest, made.log_likelihood, float(first), error)

    def log_likelihood(self, x: Array, fitted: Fitted) -> float:
        """Return the log likelihood of a fit on these patients."""
        linear = fitted.intercept + x @ fitted.coefficients
        each = self.y * linear - np.logaddexp(0, linear)
        return float(np.sum(each if self.weight is None else self.weight * each))

    def c(self, linear: Array) -> float:
        """Return the area under the ROC curve, weighted."""
        weight = np.ones(len(self.y)) if self.weight is None else self.weight
        cases, controls = weight * self.y, weight * (1 - self.y)
        _, rank = np.unique(linear, return_inverse=True)
        at_rank = np.bincount(rank, weights=controls)
        below = (np.cumsum(at_rank) - at_rank / 2)[rank]
        return float(np.sum(cases * below) / cases.sum() / controls.sum())

    def slope(self, linear: Array) -> float:
        """Return the logistic model's coefficient of the linear predictor. Raises NotFitted."""
        return float(self.fit(linear[:, None]).coefficients[0])


@dataclass(frozen=True)
class Term:
    """A predictor and its columns."""

    name: str
    columns: tuple[int, ...]


@dataclass(frozen=True)
class Tested:
    """A predictor's test: of all its columns together."""

    term: Term
    chi2: float
    p_value: float


@dataclass(frozen=True)
class Steps:
    """When a predictor comes in and goes out."""

    enter: float = 0.05
    leave: float = 0.05


def columns_of(terms: Sequence[Term]) -> list[int]:
    """Return the columns of several predictors, in order."""
    return [column for term in terms for column in term.columns]


class _Fits:
    """The fits of some columns of x, each made once."""

    def __init__(self, outcome: Outcome, x: Array) -> None:
        self.outcome, self.x = outcome, x
        self.made: dict[tuple[int, ...], Fitted] = {}

    def of(self, terms: Sequence[Term]) -> tuple[Fitted, tuple[int, ...]]:
        """Return the fit of some predictors, and its columns. Raises NotFitted."""
        columns = tuple(sorted(columns_of(terms)))
        if columns not in self.made:
            self.made[columns] = self.outcome.fit(self.x[:, columns])
        return self.made[columns], columns

    def tested(self, term: Term, beside: Sequence[Term]) -> Tested:
        """Test a predictor beside others; one that is not determined there has a p-value of 1."""
        try:
            return self._tested(term, beside)
        except (NotFitted, np.linalg.LinAlgError):
            return Tested(term, np.nan, 1.0)

    def _tested(self, term: Term, beside: Sequence[Term]) -> Tested:
        whole, columns = self.of([*beside, term])
        if self.outcome.is_weighted:
            own = [columns.index(column) for column in term.columns]
            b, v = whole.coefficients[own], whole.covariance[np.ix_(own, own)]
            value = float(b @ np.linalg.solve(v, b))
        else:
            value = 2 * (whole.log_likelihood - self.of(beside)[0].log_likelihood)
        return Tested(term, value, float(chi2.sf(max(value, 0.0), len(term.columns))))


def _stepwise(fits: _Fits, terms: Sequence[Term], steps: Steps) -> tuple[list[Term], list[str]]:
    kept: list[Term] = []
    done: list[str] = []
    for _ in range(4 * len(terms) + 1):
        before = set(kept)
        outside = [fits.tested(term, kept) for term in terms if term not in kept]
        best = min(outside, key=lambda one: one.p_value, default=None)
        if best is not None and best.p_value < steps.enter:
            kept.append(best.term)
            done.append(f"{best.term.name} in, p = {best.p_value:.3g}")
        while len(kept) > 1:
            inside = [fits.tested(t, [other for other in kept if other != t]) for t in kept]
            worst = max(inside, key=lambda one: one.p_value)
            if worst.p_value < steps.leave:
                break
            kept.remove(worst.term)
            done.append(f"{worst.term.name} out, p = {worst.p_value:.3g}")
        if set(kept) == before:
            break
    return [term for term in terms if term in kept], done


def selected(
    outcome: Outcome, x: Array, terms: Sequence[Term], steps: Steps
) -> tuple[list[Tested], list[Term], list[str]]:
    """Return the univariable tests, the predictors that stay, the steps. Raises NotFitted."""
    fits = _Fits(outcome, x)
    alone = [fits.tested(term, ()) for term in terms]
    likely = [one.term for one in alone if one.p_value < steps.enter]
    return alone, *_stepwise(fits, likely, steps)


@dataclass(frozen=True)
class Ridge:
    """The penalty with the best prediction of left-out tenths, and the fit with it."""

    penalty: float
    fitted: Fitted


def ridge(outcome: Outcome, x: Array) -> Ridge:
    """Fit all columns with the penalty that cross-validation chooses. Raises NotFitted."""
    scale = np.var(x, axis=0)
    fold = np.random.default_rng(SEED).permutation(np.arange(len(x)) % FOLDS)
    best, most = float(PENALTIES[-1]), -np.inf
    for penalty in PENALTIES:
        told = 0.0
        for left in range(FOLDS):
            rows = np.flatnonzero(fold != left)
            try:
                fitted = outcome.take(rows).fit(x[rows], penalty * scale)
            except NotFitted:
                told = -np.inf
                break
            whole = outcome.log_likelihood(x, fitted)
            told += whole - outcome.take(rows).log_likelihood(x[rows], fitted)
        if told > most:
            best, most = float(penalty), told
    return Ridge(best, outcome.fit(x, best * scale))
