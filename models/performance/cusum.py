"""Risk-adjusted CUSUMs of events seen against events expected.

Events that come as the predictions say are a Poisson process of rate 1 in expected events, however
patients differ and whenever they come under watch or leave it. Two log-likelihood ratios are kept
above zero, one against O/E = r and one against O/E = 1/r:

    S+ = max(0, S+ + O ln r - (r - 1) E)        S- = max(0, S- - O ln r + (1 - 1/r) E)

and signal at a threshold h. `run_length` is how many expected events pass until one signals though
nothing is wrong, when it is looked at after every event; looked at more rarely it signals more
rarely. Sources: Steiner 2000, Biostatistics 1:441; Biswas and Kalbfleisch 2008, Statistics in
Medicine 27:3382 (survival); Brook and Evans 1972, Biometrika 59:539 (run lengths).
"""

from functools import cache
from math import log

import numpy as np

from models.performance.followup import Array

_STEPS = 200


def cusum(observed: Array, expected: Array, ratio: float) -> Array:
    """Return the CUSUM against O/E = ratio (above or below 1) after each interval."""
    gain = np.asarray(observed) * log(ratio) - (ratio - 1) * np.asarray(expected)
    total = np.concatenate([[0.0], np.cumsum(gain)])
    return np.asarray((total - np.minimum.accumulate(total))[1:])


@cache
def run_length(ratio: float, threshold: float) -> float:
    """Return the expected events until a false alarm of the CUSUM against O/E = ratio."""
    step = threshold / _STEPS
    edge = np.arange(_STEPS + 1) * step
    place, middle = edge[:-1], (edge[:-1] + edge[1:]) / 2
    slope, jump = abs(ratio - 1), log(ratio)
    if ratio > 1:
        # Falls until the next event, at zero stays, then jumps up.
        fall = np.exp(-np.clip(place[:, None] - edge[None, :], 0, None) / slope)
        landed = np.where(edge[None, 1:] <= place[:, None] + step / 2, np.diff(fall, axis=1), 0.0)
        move = landed @ _onto(middle + jump, step)
        move += np.exp(-place / slope)[:, None] * _onto(np.array([jump]), step)
        time = np.ones(_STEPS)
    else:
        # Rises until the next event, over the threshold or not, then drops.
        rise = np.exp(-np.clip(edge[None, :] - place[:, None], 0, None) / slope)
        landed = np.where(edge[None, :-1] >= place[:, None] - step / 2, -np.diff(rise, axis=1), 0.0)
        move = landed @ _onto(np.maximum(middle + jump, 0), step)
        time = 1 - np.exp(-(threshold - place) / slope)
    return float(np.linalg.solve(np.eye(_STEPS) - move, time)[0])


def _onto(values: Array, step: float) -> Array:
    """Return how values are shared between their neighbours on the grid; beyond it nothing is."""
    at = values / step
    low = np.floor(at).astype(int)
    shared = np.zeros((len(values), _STEPS + 1))
    rows = np.arange(len(values))
    for place, part in ((low, 1 - (at - low)), (low + 1, at - low)):
        inside = (place < _STEPS) & (low < _STEPS)
        shared[rows[inside], place[inside]] += part[inside]
    return shared[:, :_STEPS]
