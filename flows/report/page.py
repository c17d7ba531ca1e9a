"""The page itself: reads a night's published parquet, fills the template."""

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import jinja2
import polars as pl

from flows.published.nights import read_table
from flows.report import content
from flows.report.patients import layouts, panels
from flows.secrets import NO_KEYS, Keys
from flows.settings import Settings
from transforms.measures.disclosure import shown

_RISK_COLUMNS = (
    *("rrdtc_flag", "os_risk_group", "pfs_risk_group", "needs"),
    *("rrdtc_points", "os_points", "pfs_points"),
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

    def table(name: str, **some: Any) -> pl.DataFrame:
        return read_table(folder / f"{name}.parquet", keys, **some)

    waiting = table("worklist")
    worklist = waiting.head(settings.report_patients)
    ours = worklist["patient_id"]
    shown_patients = panels(
        worklist,
        table("patient_risk", of=ours),
        table("features", of=ours),
        table("model_scores", of=ours),
        table("timeline", of=ours),
        table("criteria", of=ours),
        table("on_file", of=ours),
        settings.windows.model_dump(),
    )
    measures = table("qi_measures")
    risk = table("patient_risk", columns=_RISK_COLUMNS)
    features = table("features", columns=content.DRIFTING)
    smallest = settings.smallest_cell
    return _template().render(
        windows=settings.windows,
        run=run,
        flags=[
            (words, _flag_counts(run["flags"][name], smallest)) for name, words in _FLAGS.items()
        ],
        worklist=worklist.to_dicts(),
        waiting=waiting.height,
        smallest=smallest,
        sections=[
            (
                "models",
                "How the models behave",
                [
                    *content.alert_load(run, past),
                    *content.behaviour(risk, smallest),
                    *content.drift(features, past, keys, smallest),
                ],
            ),
            ("data", "Data quality", content.data_quality(table("quarantine"), measures)),
        ],
        measures=content.measure_figures(measures),
        data=_embedded({"layouts": layouts(), "patients": shown_patients}),
        style=_file("report.css"),
        script=_file("report.js"),
    )


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
