"""How far tonight may be from the nights before: from where a change warns, and refuses."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

NEVER = "never"


class Tolerance(BaseModel):
    """From which change on a comparison warns, and refuses; None: never."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    warn: float | None = Field(None, ge=0)
    refuse: float | None = Field(None, ge=0)
    least: int = Field(1, ge=1)
    """How many rows, cells, values or patients a change must concern to be judged at all."""

    @field_validator("warn", "refuse", mode="before")
    @classmethod
    def _never(cls, given: Any) -> Any:
        return None if given == NEVER else given


def _from(warn: float | None, refuse: float | None, least: int, description: str) -> Any:
    return Field(Tolerance(warn=warn, refuse=refuse, least=least), description=description)


class Tolerances(BaseModel):
    """One tolerance per comparison, named as its findings are.

    What is given of one replaces that part of its default. The defaults are judgement: well above
    what a registry does from one night to the next, well below what a wrong file does.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    nights: int = Field(7, ge=1, description="how many published nights tonight is compared with")
    rows_lost: Tolerance = _from(0.05, 0.25, 5, "share of a table's or a file's rows that is gone")
    rows_gained: Tolerance = _from(0.5, 2, 50, "new rows of a table, as a share of those before")
    rows_aside: Tolerance = _from(0.05, 0.15, 5, "rise in the share of a table's quarantined rows")
    rows_later: Tolerance = _from(
        0.02, 0.15, 5, "rise in the share of rows dated after the as-of date"
    )
    patients_gone: Tolerance = _from(
        0.01, 0.1, 5, "share of the last night's patients who are not there tonight"
    )
    patients_new: Tolerance = _from(
        0.5, 2, 25, "patients whom the last night did not have, as a share of its patients"
    )
    cells_emptied: Tolerance = _from(
        0.2, 0.5, 5, "share of a column's filled cells that is empty or unusable now"
    )
    cells_filled: Tolerance = _from(0.3, 0.6, 5, "rise in the share of a column's filled cells")
    cells_changed: Tolerance = _from(
        0.05, 0.25, 5, "share of a column's old values that are others now, in rows of the same key"
    )
    quantiles: Tolerance = _from(
        2, 5, 20, "factor by which the 10, 50 or 90 % quantile of a column in one unit moved"
    )
    units: Tolerance = _from(0.1, 0.3, 5, "move of a unit's share of a column's values")
    unit_new_or_gone: Tolerance = _from(
        0, 0.1, 5, "share of values in a unit that was never there before, or is gone"
    )
    newest_back: Tolerance = _from(
        30, 365, 20, "days by which the newest date of a table went back"
    )
    newest_age: Tolerance = _from(90, 730, 1, "days from the newest date of all to the as-of date")
    extraction_age: Tolerance = _from(
        8, 45, 1, "days from the extraction, as the manifest says it, to the as-of date"
    )
    identical_nights: Tolerance = _from(
        1, 14, 1, "nights in a row before this one with the very same files"
    )
    flags_moved: Tolerance = _from(
        0.1, 0.3, 5, "share of a flag's class that moved to one other class"
    )

    @model_validator(mode="before")
    @classmethod
    def _over_the_defaults(cls, given: Any) -> Any:
        if not isinstance(given, dict):
            return given
        merged = dict(given)
        for name, part in given.items():
            field = cls.model_fields.get(name)
            if field is not None and isinstance(part, dict) and name != "nights":
                merged[name] = field.default.model_dump() | part
        return merged

    def of(self, what: str) -> Tolerance:
        """Return the tolerance of a comparison."""
        found: Tolerance = getattr(self, what)
        return found


WORDS = {name: field.description or "" for name, field in Tolerances.model_fields.items()}
"""What each comparison measures, in words."""
