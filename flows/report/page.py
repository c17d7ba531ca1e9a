"""The page itself: reads a night's published parquet, fills the template."""

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import jinja2
import polars as pl

from flows.keys import NO_KEYS, Keys
from flows.publish import read_table
from flows.report import content
from flows.report.patients import SHOWN_MODELS, layouts, panels
from flows.settings import Settings
from models.spec import library
from transforms.disclosure import shown

TABLES = (
    "patient_risk",
    "features",
    "model_scores",
    "worklist",
    "quarantine",
    "qi_measures",
    "timeline",
)
_FLAGS = {
    "rrdtc_flag": "RR-DTC, Liu 2022",
    "os_risk_group": "overall survival, Jin 2025",
    "pfs_risk_group": "progression-free survival, Jin 2025",
}


def page(
    folder: Path,
    run: Mapping[str, Any],
    past: list[Path],
    settings: Settings,
    keys: Keys = NO_KEYS,
) -> str:
    """Return report.html of the night whose parquet is in `folder`.

    `run` is what run.json says of it; `past` are the folders of earlier nights, oldest first.
    """
    night = {name: read_table(folder / f"{name}.parquet", keys) for name in TABLES}
    worklist = night["worklist"].head(settings.report_patients)
    shown_patients = panels(
        worklist,
        night["patient_risk"],
        night["features"],
        night["model_scores"],
        night["timeline"],
    )
    smallest = settings.smallest_cell
    return _template().render(
        run=run,
        flags=[
            (words, _flag_counts(run["flags"][name], smallest)) for name, words in _FLAGS.items()
        ],
        worklist=worklist.to_dicts(),
        waiting=night["worklist"].height,
        smallest=smallest,
        sections=[
            ("models", "How the models behave", _behaviour(night, run, past, settings, keys)),
            (
                "data",
                "Data quality",
                content.data_quality(night["quarantine"], night["qi_measures"]),
            ),
        ],
        measures=content.measure_figures(night["qi_measures"]),
        statuses=[name for name in SHOWN_MODELS if name in library()],
        data=_embedded({"layouts": layouts(), "patients": shown_patients}),
        style=_file("report.css"),
        script=_file("report.js"),
    )


def _behaviour(
    night: Mapping[str, pl.DataFrame],
    run: Mapping[str, Any],
    past: list[Path],
    settings: Settings,
    keys: Keys,
) -> list[content.Figure]:
    smallest = settings.smallest_cell
    return [
        *content.alert_load(run, past),
        *content.behaviour(night["patient_risk"], smallest),
        *content.drift(night["features"], past, keys, smallest),
    ]


def _flag_counts(counts: dict[str, int], smallest: int) -> dict[str, int | None]:
    names = ("high", "indeterminate", "low", "not_applicable")
    return shown({name: counts.get(name, 0) for name in names}, smallest)


def _embedded(data: Any) -> str:
    """Return JSON that cannot end the script element that it stands in."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def _file(name: str) -> str:
    return files("flows.report").joinpath(name).read_text("utf-8")


@cache
def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
    )
    environment.filters["count"] = lambda n: "few" if n is None else f"{n:,}"
    return environment.from_string(_file("report.html.jinja"))
