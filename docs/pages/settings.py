"""The reference of the settings: every one with default, unit, meaning and variable."""

import re
from collections.abc import Iterable, Mapping

from pydantic.fields import FieldInfo

from docs.pages.markdown import code, table
from flows.settings import Settings
from transforms.acceptance.tolerances import Tolerance, Tolerances
from transforms.review.listing import Listing
from transforms.variables.windows import Windows

_SECTIONS = (Windows, Listing, Tolerances)
_UNITS = {
    "fdg_suv_max": "SUVmax",
    "response_change": "share",
    "max_unpack_ratio": "times",
    "worklist_cap": "patients",
    "smallest_cell": "patients",
    "keep_history": "nights",
}
"""Units that the name of a setting does not say."""
_WORDS = {
    "ng_ml": "ng/mL",
    "miu_l": "mIU/L",
    "iu_ml": "IU/mL",
    "mci": "mCi",
    "share": "share",
    "days": "days",
    "hours": "hours",
    "months": "calendar months",
    "years": "calendar years",
    "nights": "nights",
    "patients": "patients",
    "rows": "rows",
}

_HEAD = """# Settings

This page is made from the settings (`make docs`). `thyrisk settings` prints them as a file to start
from, `--settings FILE.toml` uses it, and a variable of the environment overrides it. `run.json` has
those of its night.

Windows and thresholds are those of the papers; another value changes what the variables mean.

"""


def settings_page() -> str:
    """Return the page: the settings of a night, then the windows of the variables."""
    plain = {n: f for n, f in Settings.model_fields.items() if f.annotation not in _SECTIONS}
    return (
        _HEAD
        + "## The night\n\n"
        + _rows(plain, "")
        + "\n## Windows and thresholds\n\nIn the file under `[windows]`.\n\n"
        + _rows(Windows.model_fields, "windows__")
        + "\n## The worklist\n\nIn the file under `[listing]`; [its rules](../worklist.md).\n\n"
        + _rows(Listing.model_fields, "listing__")
        + "\n## Acceptance\n\nIn the file under `[acceptance]`; "
        "[how it is judged](../acceptance.md). "
        "Each has `warn`, `refuse` and `least`, as variables `...__REFUSE`.\n\n"
        + _rows(Tolerances.model_fields, "acceptance__")
    )


def _rows(fields: Mapping[str, FieldInfo], section: str) -> str:
    return table(("setting", "default", "unit", "meaning", "variable"), _described(fields, section))


def _described(fields: Mapping[str, FieldInfo], section: str) -> Iterable[tuple[str, ...]]:
    prefix = Settings.model_config.get("env_prefix", "")
    for name, field in fields.items():
        variable = code(f"{prefix}{section.upper()}{name.upper()}")
        yield code(name), written(field.default), unit_of(name), field.description or "", variable


def unit_of(name: str) -> str:
    """Return the unit of a setting, which its name says, or the list above."""
    named = (unit for word, unit in _WORDS.items() if re.search(rf"(^|_){word}(_|$)", name))
    return _UNITS.get(name) or next(named, "")


def written(value: object) -> str:
    """Return a value as a person reads it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, Tolerance):
        return f"warn {value.warn:g}, refuse {value.refuse:g}, least {value.least}"
    if value is None:
        return "none"
    return "empty" if value == {} else str(value)
