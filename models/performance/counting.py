"""Counting pairs without looking at each: sums over earlier elements with lower values.

A wavelet matrix (Claude, Navarro and Ordonez 2015, Information Systems 47:15) splits the ranks
bit by bit, so that n questions over n elements take about n log n steps, all in numpy.
"""

import numpy as np
from numpy.typing import NDArray

from models.performance.followup import Array

Index = NDArray[np.int64]


def ranks(values: Array) -> Index:
    """Return the dense rank of each value, from 0; ties share one."""
    return np.unique(values, return_inverse=True)[1].astype(np.int64)


def sums_below(rank: Index, weight: Array, ends: Index, bounds: Index) -> Array:
    """Sum the weights of the first `ends` elements whose rank is below `bounds`, per question."""
    total = np.zeros(len(ends))
    levels = max(int(max(rank.max(initial=0), bounds.max(initial=0))).bit_length(), 1)
    low, high = np.zeros(len(ends), dtype=np.int64), ends.astype(np.int64)
    for level in range(levels - 1, -1, -1):
        one = (rank >> level & 1).astype(bool)
        zeros = np.concatenate([[0], np.cumsum(~one)])
        summed = np.concatenate([[0.0], np.cumsum(np.where(one, 0.0, weight))])
        asked = (bounds >> level & 1).astype(bool)
        total += np.where(asked, summed[high] - summed[low], 0.0)
        low_zero, high_zero = zeros[low], zeros[high]
        low = np.where(asked, zeros[-1] + low - low_zero, low_zero)
        high = np.where(asked, zeros[-1] + high - high_zero, high_zero)
        order = np.concatenate([np.flatnonzero(~one), np.flatnonzero(one)])
        rank, weight = rank[order], weight[order]
    return total
