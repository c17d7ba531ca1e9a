"""The reference of the settings: every one with default, unit, meaning and variable."""

from collections.abc import Iterable, Mapping

from pydantic.fields import FieldInfo

from docs.pages.markdown import code, table
from flows.settings import Settings
from transforms.variables.windows import Windows

_UNITS = {
    "fdg_days": "days",
    "fdg_suv_max": "SUVmax",
    "metastasis_grace_days": "days",
    "lung_months": "calendar months",
    "nodule_days_before": "days",
    "nodule_days_after": "days",
    "stg_days": "days",
    "stg_threshold_ng_ml": "ng/mL",
    "tsh_stimulated_miu_l": "mIU/L",
    "tgab_positive_iu_ml": "IU/mL",
    "cumulative_mci": "mCi",
    "progression_years": "calendar years",
    "scan_days": "days",
    "response_change": "share",
    "max_bad_share": "share, 0 to 1",
    "max_bad_share_of": "share, 0 to 1",
    "max_shrink_share": "share, 0 to 1",
    "judge_from_bad_rows": "rows",
    "judge_from_rows": "rows",
    "batch_rows": "rows",
    "duckdb_memory": "bytes, with their unit",
    "max_unpack_ratio": "times",
    "worklist_cap": "patients",
    "report_patients": "patients",
    "smallest_cell": "patients",
    "keep_nights": "nights",
    "keep_history": "nights",
    "umask": "octal",
    "schedule": "cron, UTC",
    "stale_after_hours": "hours",
}
_WITHOUT = (bool, str | None)

_HEAD = """# Settings

This page is made from the settings (`make docs`). `thyrisk settings` prints them as a file to start
from, `--settings FILE.toml` uses it, and a variable of the environment overrides it. `run.json` has
those of its night.

Windows and thresholds are those of the papers; another value changes what the variables mean.

"""


def settings_page() -> str:
    """Return the page: the settings of a night, then the windows of the variables."""
    plain = {n: f for n, f in Settings.model_fields.items() if f.annotation is not Windows}
    return (
        _HEAD
        + "## The night\n\n"
        + _rows(plain, "")
        + "\n## Windows and thresholds\n\nIn the file under `[windows]`.\n\n"
        + _rows(Windows.model_fields, "windows__")
    )


def _rows(fields: Mapping[str, FieldInfo], section: str) -> str:
    return table(("setting", "default", "unit", "meaning", "variable"), _described(fields, section))


def _described(fields: Mapping[str, FieldInfo], section: str) -> Iterable[tuple[str, ...]]:
    prefix = Settings.model_config.get("env_prefix", "")
    for name, field in fields.items():
        unit = "" if field.annotation in _WITHOUT else unit_of(name)
        variable = code(f"{prefix}{section.upper()}{name.upper()}")
        yield code(name), written(field.default), unit, field.description or "", variable


def unit_of(name: str) -> str:
    """Return the unit of a setting; raises KeyError for a number of which none is said here."""
    return "" if name == "recist_progression" else _UNITS[name]


def written(value: object) -> str:
    """Return a value as a person reads it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:g}"
    if value is None:
        return "none"
    return "empty" if value == {} else str(value)
