"""The page itself: reads a night's published parquet, fills the template."""

import json
from base64 import b64encode
from collections.abc import Mapping
from functools import cache
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from typing import Any

import jinja2
import polars as pl

from flows.published.nights import read_table
from flows.report import behaviour, holding, quality
from flows.report.cards import MOST_SEARCHED, cards, counted, search_index
from flows.report.panels import layouts, panels
from flows.secrets import NO_KEYS, Keys
from flows.settings import Settings
from schemas import codes

_STYLES = ("tokens", "frame", "cards", "panel", "tabs", "print")
_SCRIPTS = ("base", "spark", "cards", "timeline", "models", "panel", "answers", "search", "start")
ASSETS = files("flows.report").joinpath("assets")


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

    def table(name: str, **some: Any) -> pl.DataFrame | None:
        path = folder / f"{name}.parquet"
        return read_table(path, keys, **some) if path.is_file() else None

    worklist = table("worklist")
    risk = table("patient_risk", columns=behaviour.RISK_COLUMNS)
    if worklist is None or risk is None:
        raise FileNotFoundError("worklist.parquet or patient_risk.parquet")
    in_full = worklist.select("patient_id").head(settings.report_patients)
    script, style = _joined(_SCRIPTS, "js"), _joined(_STYLES, "css")
    return _template().render(
        run=run,
        night=str(run["as_of"]),
        counted=counted(worklist, run),
        listed=worklist.height,
        tabs=_tabs(run, past, settings, keys, risk, table),
        smallest=settings.smallest_cell,
        windows=settings.windows,
        reasons=[(code, _words(code)) for code in codes.DISMISSAL],
        data=embedded(
            {
                "night": str(run["as_of"]),
                "run": run["run_id"],
                "patients": run["patients"],
                "listed": worklist.height,
                "searched": MOST_SEARCHED,
                "cards": cards(worklist),
                "panels": panels(in_full, lambda name: table(name, of=in_full["patient_id"])),
                "models": layouts(settings.windows.model_dump()),
                "everybody": search_index(risk),
                "extracted": run["extracted_on"],
            }
        ),
        style=style,
        script=script,
        script_hash=b64encode(sha256(script.encode()).digest()).decode(),
    )


def _tabs(
    run: Mapping[str, Any],
    past: list[Path],
    settings: Settings,
    keys: Keys,
    risk: pl.DataFrame,
    table: Any,
) -> dict[str, Any]:
    """Return what the other tabs show: the registry, quality, models and data."""
    smallest = settings.smallest_cell
    found: dict[str, Any] = {"smallest": smallest}
    listed: pl.DataFrame | None = table("registry_list")
    if listed is not None:
        found |= {"corrections": quality.corrections(listed), "to_correct": listed.height}
    quarantine = table("quarantine")
    if quarantine is not None:
        found["set_aside"] = quality.set_aside(quarantine)
    measures = table("qi_measures")
    if measures is not None:
        found["complete"] = quality.complete(measures)
        found["measured"] = quality.measured(measures, settings.windows)
    watched = table("surveillance")
    if watched is not None:
        found["holding"] = holding.holding(watched, run.get("signals", []))
    features = table("features", columns=behaviour.DRIFTING)
    if features is not None:
        found["drift"] = behaviour.drift(features, past, keys, smallest)
    return found | {
        "alert_load": behaviour.alert_load(run, past),
        "models": behaviour.tonight(run, smallest),
        "points": behaviour.points(risk, smallest),
        "needed": behaviour.needed(risk, smallest),
        "compared": [c for c in run.get("comparisons", []) if c.get("verdict") != "fine"],
    }


def _words(code: str) -> str:
    return code.replace("_", " ")


def embedded(data: Any) -> str:
    """Return JSON that cannot end the script element that it stands in."""
    text = json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def _joined(names: tuple[str, ...], suffix: str) -> str:
    return "\n".join(ASSETS.joinpath(f"{name}.{suffix}").read_text("utf-8") for name in names)


def _template() -> jinja2.Template:
    return environment().get_template("report.html.jinja")


@cache
def environment() -> jinja2.Environment:
    """Return the environment that every page is filled in: it escapes whatever it is given."""
    made = jinja2.Environment(
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
        loader=jinja2.FunctionLoader(lambda name: ASSETS.joinpath(name).read_text("utf-8")),
    )
    made.filters["count"] = lambda n: "few" if n is None else f"{n:,}"
    made.filters["words"] = lambda code: _words(str(code))
    made.filters["nice"] = lambda words: str(words).replace("131I", "\u00b9\u00b3\u00b9I")
    made.filters["percent"] = lambda share: f"{share:.0%}".replace("%", "\u202f%")
    return made
