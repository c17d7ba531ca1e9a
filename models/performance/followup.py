"""Outcomes with follow-up: how long each patient was watched, and what happened then.

A patient is watched until `time`; `event` says what ended it: 0 nothing (censored), 1 the event
that the model predicts, 2 a competing event, after which the first can no longer happen.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

Array = NDArray[np.floating[Any]]
CENSORED, EVENT, COMPETING = 0, 1, 2


class BadPredictions(ValueError):
    """A table of predictions that cannot be evaluated; the message says why, without its cells."""


@dataclass(frozen=True)
class Followup:
    """Times and what ended them, one element per patient; times in the unit of the horizons."""

    time: Array
    event: NDArray[np.int64]

    def cut(self, horizon: float) -> "Followup":
        """Stop watching at the horizon: an event on the horizon counts, a later one is censored."""
        event = np.where(self.time > horizon, CENSORED, self.event)
        return Followup(np.minimum(self.time, horizon), event)

    def __getitem__(self, chosen: Any) -> "Followup":
        return Followup(self.time[chosen], self.event[chosen])

    def __len__(self) -> int:
        return len(self.time)

    @property
    def has_competing(self) -> bool:
        """Tell whether any competing event was seen."""
        return bool((self.event == COMPETING).any())


def followup(frame: pl.DataFrame) -> Followup:
    """Return the outcomes of a frame with `time` and `event` (0, 1, 2, or a boolean).

    Raises BadPredictions for a missing or negative time, or another event.
    """
    time = column(frame, "time")
    event = column(frame, "event")
    if (time < 0).any():
        raise BadPredictions("column time: negative")
    if not np.isin(event, (CENSORED, EVENT, COMPETING)).all():
        raise BadPredictions("column event: want 0 censored, 1 event, 2 competing event")
    return Followup(time, event.astype(np.int64))


def column(frame: pl.DataFrame, name: str) -> Array:
    """Return a numeric column without gaps. Raises BadPredictions when it is not one."""
    if name not in frame.columns:
        raise BadPredictions(f"column {name}: not there")
    if not (frame[name].dtype.is_numeric() or frame[name].dtype == pl.Boolean):
        raise BadPredictions(f"column {name}: not a number")
    values = frame[name].cast(pl.Float64).to_numpy()
    if frame[name].null_count() or not np.isfinite(values).all():
        raise BadPredictions(f"column {name}: empty or not finite in some rows")
    return np.asarray(values, dtype=np.float64)
