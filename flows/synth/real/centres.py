"""The centres of a synthetic registry, and how they differ."""

from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Centre:
    """A hospital: how many it treats, and what it does and records."""

    name: str
    share: float
    """Of all patients."""
    pet: float
    """How many with lesions have an FDG PET/CT at the first 131I therapy."""
    stimulated: float
    """How many have a stimulated Tg at a course."""
    more_gbq: float
    """How much more it gives to patients with distant metastases than the published mean."""
    waits: float
    """Days from operation to 131I, as a multiple."""
    enters_late: float
    """Days from an event to its row in the export, as a multiple."""
    tg_unit: str = "ng/mL"
    says_stimulated: bool = True
    """Whether a stimulated sample is marked so; else its TSH says it."""
    tg_limit: float = 1e6
    """What its assay cannot measure above."""


CENTRES = (
    Centre("C01", 0.29, 0.90, 0.97, 0.35, 0.8, 0.7),
    Centre("C02", 0.22, 0.82, 0.93, 0.1, 1.0, 1.0, tg_unit="ug/L"),
    Centre("C03", 0.17, 0.70, 0.95, -0.2, 1.1, 0.8, tg_unit="pmol/L"),
    Centre("C04", 0.14, 0.75, 0.85, 0.0, 1.4, 2.0, says_stimulated=False),
    Centre("C05", 0.11, 0.55, 0.90, -0.5, 1.2, 1.2, tg_limit=500.0),
    Centre("C06", 0.07, 0.65, 0.80, -0.3, 1.7, 2.6),
)
"""Every centre; the shares add up to one."""


def of_centre(attribute: str, centre: Any) -> Any:
    """Return what the centre of each patient has."""
    return np.asarray([getattr(one, attribute) for one in CENTRES])[centre]
