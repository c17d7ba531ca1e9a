"""TRIPOD+AI's items for an evaluation, filled in as far as a validation knows.

Items and what is filled into them are data (assets/tripod_ai.toml); what is not known is left to
the authors, in words. Source: Collins et al., BMJ 385:e078378 (2024).
"""

import tomllib
from functools import cache
from importlib.resources import files
from string import Formatter
from typing import Any

import polars as pl

from flows.landmarks import Registry, Way
from flows.participants import EVERYBODY
from flows.subgroups import COMPLETE, Asked
from models.spec import Model, library

AUTHORS = "to be completed by the authors"
OUTCOMES = {
    "rrdtc": "RR-DTC (any of Liu 2022's five criteria), death before it competing",
    "os": "death of any cause, from the start of the clock",
    "pfs": "progression (recorded, or RECIST PD) or death, from the start of the clock",
}
_FAMILIES = {"cox": "Cox nomogram", "logistic": "logistic nomogram", "points": "point score"}


def checklist(about: dict[str, Any], figures: pl.DataFrame) -> list[dict[str, Any]]:
    """Return the items: number, section, what is asked, what is said, whether it is known."""
    facts = about.get("facts", {}) | _of_figures(figures, about)
    return [_item(item, facts) for item in _items()]


def _item(item: dict[str, str], facts: dict[str, str]) -> dict[str, Any]:
    known = item.get("known", "")
    wanted = {name for _, name, _, _ in Formatter().parse(known) if name}
    wanted |= {item["needs"]} if "needs" in item else set()
    is_known = bool(known) and all(facts.get(name) for name in wanted)
    authors = f"{AUTHORS}: {item['ask']}"
    return {
        "number": item["number"],
        "section": item["section"],
        "asks": item["asks"],
        "says": known.format_map(facts) if is_known else authors,
        "known": is_known,
    }


@cache
def _items() -> list[dict[str, str]]:
    path = files("flows.report").joinpath("assets", "tripod_ai.toml")
    items: list[dict[str, str]] = tomllib.loads(path.read_text("utf-8"))["item"]
    return items


def as_markdown(items: list[dict[str, Any]]) -> str:
    """Return the checklist as a table in Markdown."""
    lines = [
        "# TRIPOD+AI: the items for an evaluation",
        "",
        "Collins et al., BMJ 385:e078378 (2024), doi 10.1136/bmj-2023-078378, in other words.",
        "",
        "| item | section | asked | here |",
        "| --- | --- | --- | --- |",
    ]
    for item in items:
        cells = (item["number"], item["section"], item["asks"], item["says"])
        lines.append("| " + " | ".join(_cell(cell) for cell in cells) + " |")
    return "\n".join(lines) + "\n"


def _cell(words: str) -> str:
    """Return words that stay in their cell."""
    return " ".join(words.replace("|", "\\|").replace("<", "&lt;").split())


def facts_of(
    model: Model, registry: Registry, ways: list[Way], asked: Asked, extracted_on: object
) -> dict[str, str]:
    """Return what is known of a model and the registry's night, in words."""
    frames = [way.frame for way in ways if not way.frame.is_empty()]
    days = [frame["index_date"] for frame in frames if "index_date" in frame.columns]
    dated = pl.concat([pl.Series("index_date", [], pl.Date), *days]).drop_nulls()
    centres = {name for frame in frames for name in frame["centre"].drop_nulls().unique()}
    refused = sorted({words for one in model.eligibility for words in one.refuse.values()})
    inferred = inferred_of(model)
    return {
        "model": model.name,
        "title": model.title,
        "citation": model.citation,
        "citation_short": model.citation.partition(",")[0],
        "doi": model.doi,
        "family": _FAMILIES[model.family],
        "outcome": OUTCOMES[model.outcome],
        "intended_use": model.intended_use,
        "not_for": model.not_for,
        "cohort": model.cohort,
        "eligibility": f"Left out: {'; '.join(refused)}" if refused else "",
        "predictors": "; ".join(model.said(one.label) for one in model.predictors),
        "source": "Exports of a thyroid-cancer registry, scored nightly",
        "night": str(registry.record.as_of),
        "extracted_on": str(extracted_on or "a day that the export does not say"),
        "from_day": str(dated.min()) if dated.len() else "",
        "to_day": str(dated.max()) if dated.len() else "",
        "centres": str(len(centres)) if centres else "",
        "ways": "; ".join(way.name for way in ways),
        "minimum": str(asked.options.minimum_events),
        "by": ", ".join(asked.by),
        "calculated": "By the night that was published within a month after the start of the "
        "clock (published), else anew from what was dated up to it (recomputed); column "
        "predictions says which.",
        "output": _output(model),
        "baseline": f"The {inferred} is inferred from published summaries, with an interval."
        if inferred
        else "",
        "limits": _limits(inferred),
    }


def _output(model: Model) -> str:
    told = "a probability" if model.outcome == "rrdtc" else "survival at 3, 5 and 10 years"
    if model.cutoff is None:
        return f"It gives {told}; no threshold is published."
    cut = model.cutoff
    return f"It gives {told} and points; high is {cut.high} {cut.points.value:g}, as published."


def inferred_of(model: Model) -> str:
    """Return which constant of the predictions that are validated is inferred; else nothing."""
    if model.outcome == "rrdtc":
        intercept = library()["liu2022_nomogram"].intercept
        return "intercept" if intercept and intercept.status == "inferred" else ""
    inferred = any(point.survival.status == "inferred" for point in model.baseline)
    return "baseline" if inferred else ""


def _limits(inferred: str) -> str:
    tested = f" Calibration tests the inferred {inferred} too." if inferred else ""
    return (
        "What was entered or corrected later counts as known in recomputed predictions; the "
        f"paper's way counts time that nobody could die in.{tested} {AUTHORS.capitalize()}: "
        "limitations of this registry"
    )


def _of_figures(figures: pl.DataFrame, about: dict[str, Any]) -> dict[str, str]:
    everybody = figures.filter(pl.col("by").is_null(), pl.col("patients") == COMPLETE)
    counted = everybody.filter(pl.col("n").is_not_null() & pl.col("events").is_not_null())
    sizes = counted.unique(["landmark", "predictions", "horizon"], maintain_order=True)
    told = [_size(row) for row in sizes.iter_rows(named=True)]
    horizons = everybody["horizon"].drop_nulls().unique().sort().to_list()
    measures = everybody.filter(pl.col("estimate").is_not_null())["measure"].unique(
        maintain_order=True
    )
    first = next(iter(about.get("flow", {}).items()), None)
    flow = "" if first is None else _flow_words(*first)
    return {
        "events": "; ".join(told),
        "horizons": ", ".join(f"{horizon:g}" for horizon in horizons) or "none",
        "measures": ", ".join(measures),
        "by": ", ".join(about.get("by", [])),
        "flow": flow,
    }


def _size(row: dict[str, Any]) -> str:
    way = " ".join(part for part in (row["landmark"], row["predictions"]) if part)
    by = "" if row["horizon"] is None else f" by {row['horizon']:g}"
    return f"{way}: {row['events']} of {row['n']}{by}".removeprefix(": ")


def _flow_words(way: str, flow: list[dict[str, Any]]) -> str:
    parts = [
        f"{'few' if one['patients'] is None else one['patients']} {one['step']}"
        for one in flow
        if one["patients"] != 0 and one["step"] != EVERYBODY
    ]
    return f"{way}, of {flow[0]['patients']} {EVERYBODY}: {'; '.join(parts)}"
