"""The C that predictions would have, were they right: what to hold an observed C against.

A C hangs on how different the patients are, so a fall may be nothing but more of a kind. Patient i
has the event before j, and by tau, with probability

    w_ij = H_i / (H_i + H_j) (1 - exp(-(H_i + H_j)))        H: cumulative hazard to tau

where hazards are proportional, so Uno's C up to tau is, were the predictions right, sum of w_ij
over pairs with H_i > H_j (ties half) over the sum of all. Patients are put in 200 groups of like
hazard. After van Klaveren 2016, Statistics in Medicine 35:4136 (model-based concordance), with the
truncation at tau added.
"""

import numpy as np

from models.performance.followup import Array

_GROUPS = 200


def c_if_right(hazard: Array) -> float:
    """Return the C up to tau of patients with these cumulative hazards to tau, were they right."""
    told = np.sort(hazard[np.isfinite(hazard) & (hazard > 0)])
    if len(told) < 2:
        return float("nan")
    parts = np.array_split(told, min(_GROUPS, len(told)))
    mean = np.array([part.mean() for part in parts])
    size = np.array([len(part) for part in parts], dtype=float)
    both = mean[:, None] + mean[None, :]
    weight = mean[:, None] / both * -np.expm1(-both) * size[:, None] * size[None, :]
    weight -= np.diag(np.diag(weight) / size)
    right = np.sign(mean[:, None] - mean[None, :]) / 2 + 0.5
    return float((weight * right).sum() / weight.sum())
