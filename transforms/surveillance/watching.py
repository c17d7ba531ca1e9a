"""The settings of surveillance: how far it looks back, and from where it speaks up."""

from pydantic import BaseModel, ConfigDict, Field


class Watching(BaseModel):
    """The limits of surveillance. A signal is a reason to look, and changes nothing."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    years: int = Field(
        5, ge=1, le=30, description="years of published predictions that surveillance looks back on"
    )
    minimum_events: int = Field(
        100, ge=1, description="with fewer events in these years it gives no O/E and no C"
    )
    cusum_ratio: float = Field(
        1.5, gt=1, le=10, description="the O/E, or its inverse, that the CUSUMs are made to find"
    )
    cusum_threshold: float = Field(
        4.5,
        gt=0,
        le=20,
        description="from where a CUSUM signals; with 4.5 and a ratio of 1.5 one false alarm in "
        "about 1,000 expected events (1,350 downwards)",
    )
    drift_years: int = Field(
        2,
        ge=1,
        description="patients first treated in so many years are compared with those before",
    )
    drift: float = Field(
        0.1, ge=0, le=1, description="a share of patients that moved by less never signals"
    )
