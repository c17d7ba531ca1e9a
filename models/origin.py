"""Where a local model comes from: data, night, and the published model that it stands beside."""

from datetime import date

from pydantic import BaseModel, ConfigDict, Field


class Origin(BaseModel):
    """The data that a local model was made on: counts and months, no patient."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    beside: str | None = None
    """The published model that it was made from, and runs beside."""
    how: str
    """How it was made, in words."""
    since: str
    """Month of the first 131I therapy of all, and of the last day that anybody was followed."""
    until: str
    patients: int = Field(gt=0)
    events: int = Field(gt=0)
    night: date
    """The night whose data it was made on, and that night's identity."""
    run_id: str
    warnings: tuple[str, ...] = ()
    """What a reader must know before using it."""
