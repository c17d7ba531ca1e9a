"""How the cells of one column become those of the contract: one proposed line, with its evidence.

What is in doubt becomes a question and not a line: the meaning of numbers as codes, a unit that
nobody wrote down, days from an unknown day, the order of day and month.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from schemas.registry import TABLES
from transforms.inspection.found import Looked
from transforms.inspection.matching import Match, code_of, is_coded
from transforms.inspection.profile import Profile
from transforms.inspection.vocabulary import normalised, unit_text, vocabulary

_IN_DOUBT = 0.6
"""A line with a tie or a doubt is no surer than this."""
_DATES = {"iso", "dmy", "mdy", "ymd", "excel"}


@dataclass(frozen=True)
class Pattern:
    """How free text is taken apart: `[patterns.NAME]`."""

    name: str
    match: tuple[str, ...]
    units: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Line:
    """Where a column of the contract comes from, how sure that is, and why."""

    column: str
    value: Mapping[str, Any]
    """A cell in the grammar of a mapping."""
    confidence: float
    evidence: str
    alternatives: tuple[str, ...] = ()
    patterns: tuple[Pattern, ...] = ()


def line_for(
    looked: Looked, table: str, best: Match, also: Sequence[Match], tied: Sequence[Match]
) -> tuple[list[Line], list[str]]:
    """Return the lines for a match (with a pattern, more than one) and what has to be asked."""
    ours = best.ours
    dtype = TABLES[table].schema.columns[ours].dtype.type
    if dtype == pl.Date:
        lines, asked = _date(looked, best)
    elif dtype == pl.Float64:
        lines, asked = _number(looked, table, best)
    elif is_coded(table, ours):
        lines, asked = _codes(table, best)
    else:
        lines, asked = [_plain(best)], []
    others = tuple(f"'{one.theirs.name}' ({one.score:.2f})" for one in also[:3])
    if tied and lines:
        names = " or ".join(f"'{one.theirs.name}'" for one in (best, *tied))
        asked.append(f"{ours}: {names}: which of them?")
    return [_with_others(line, ours, others, bool(tied)) for line in lines], asked


def _with_others(line: Line, ours: str, others: tuple[str, ...], is_tied: bool) -> Line:
    if line.column != ours:
        return line
    sure = min(line.confidence, _IN_DOUBT) if is_tied else line.confidence
    return Line(line.column, line.value, sure, line.evidence, others, line.patterns)


def _plain(best: Match) -> Line:
    return Line(best.ours, {"column": best.theirs.name}, best.score, best.evidence)


def _date(looked: Looked, best: Match) -> tuple[list[Line], list[str]]:
    one, ours = best.theirs, best.ours
    if one.kind == "days":
        year = next((o for o in looked.columns if o.convention == "year"), None)
        day = '"COLUMN OF THAT DAY"'
        if year:
            day = (
                f'{{ column = {_quoted(year.name)}, date = "ymd", complete = "07-01", '
                f'assumption = "the middle of the year" }}'
            )
        return [], [
            f"{ours}: '{one.name}' counts days: from which day? If it is this, "
            f"{ours} = {{ anchor = {day}, days = {_quoted(one.name)} }}"
        ]
    usual = str(looked.reading.get("dates", "iso"))
    written = "ymd" if one.convention == "year" else one.convention
    if written in _DATES or written.startswith("%"):
        value = {"column": one.name} | ({} if written == usual else {"date": written})
        return [Line(ours, value, best.score, best.evidence)], []
    asked = [f"{ours}: '{one.name}': {one.doubt or 'months are written by name'}"]
    form = "dmy" if not one.convention else "%d-%b-%Y"
    sure = min(best.score, 0.5)
    other = ("date = 'mdy'",) if form == "dmy" else ("another strptime form",)
    return [Line(ours, {"column": one.name, "date": form}, sure, best.evidence, other)], asked


def _number(looked: Looked, table: str, best: Match) -> tuple[list[Line], list[str]]:
    one, ours = best.theirs, best.ours
    value: dict[str, Any] = {"column": one.name}
    has_comma = one.convention == "decimal comma"
    if has_comma != (looked.reading.get("decimal") == ",") and one.convention:
        value["decimal"] = "," if has_comma else "."
    asked = [f"{ours}: '{one.name}': {one.doubt}"] if one.doubt else []
    sure = min(best.score, _IN_DOUBT) if one.doubt else best.score
    compared = one.forms.get("compared", 0) if ours == "value" else 0
    units, unsure = _units_in(one, table, ours)
    if unsure:
        asked.append(f"{ours}: cells of '{one.name}' say {', '.join(unsure)}: which unit is that?")
    if not compared and not units:
        return [Line(ours, value, sure, best.evidence)], asked
    pattern = _pattern(one, ours, bool(compared), units)
    value |= {"pattern": pattern.name, "take": "number"}
    lines = [Line(ours, value, sure, best.evidence, (), (pattern,))]
    if units and (unit := _unit_column(table, ours)):
        taken = {"column": one.name, "pattern": pattern.name, "take": "unit"}
        said = ", ".join(f"{c.text} ({c.cells})" for c in one.units[:5])
        why = f"cells of '{one.name}' have their unit: {said}"
        lines.append(Line(unit, taken, sure, why, (), (pattern,)))
    if compared:
        taken = {"column": one.name, "pattern": pattern.name, "take": "comparator"}
        why = f"{compared:,} cells of '{one.name}' have a comparator; a bare number is exact"
        codes = {one: one for one in ("=", "<", "<=", ">", ">=")}
        coded: dict[str, Any] = {**taken, "codes": {"": "=", **codes, "≤": "<=", "≥": ">="}}
        lines.append(Line("comparator", coded, sure, why, (), (pattern,)))
    return lines, asked


def _pattern(one: Profile, ours: str, compared: bool, units: Mapping[str, str]) -> Pattern:
    name = slug(one.name)
    number = "(?:{comparator} *)?{number}" if compared else "{number}"
    match = [f"{number}[ -]*{{unit}}.*"] if units else []
    return Pattern(f"{name}_{ours}" if name else ours, (*match, number), tuple(units.items()))


def _units_in(one: Profile, table: str, ours: str) -> tuple[dict[str, str], list[str]]:
    """Return the units that cells have behind numbers: certain ones, and those to be asked."""
    allowed = _units_of(table, ours)
    certain, unsure = {}, []
    for said in one.units:
        known = vocabulary().units.get(unit_text(said.text))
        if known and known[1] and known[0] in allowed:
            certain[said.text.lower()] = known[0]
        elif known is None or known[0] in allowed:
            unsure.append(said.text)
    return certain, unsure


def _unit_column(table: str, ours: str) -> str | None:
    return (TABLES[table].schema.columns[ours].metadata or {}).get("unit")


def _units_of(table: str, ours: str) -> tuple[str, ...]:
    unit = _unit_column(table, ours)
    return tuple(TABLES[table].schema.columns[unit].dtype.type.categories) if unit else ()


def _codes(table: str, best: Match) -> tuple[list[Line], list[str]]:
    one, ours = best.theirs, best.ours
    dtype = TABLES[table].schema.columns[ours].dtype.type
    allowed = tuple(getattr(dtype, "categories", ("yes", "no")))
    codes: dict[str, str] = {}
    unknown: list[str] = []
    nearly: list[str] = []
    for said in one.codes:
        text = unit_text(said.text) if ours.endswith("unit") else said.text
        found = code_of(text, ours)
        if found and found[0] in allowed:
            codes[said.text] = found[0]
        elif found and found[0] == "unknown":
            codes[said.text] = ""
        elif ours.endswith("unit") and (near := vocabulary().units.get(text)):
            nearly.append(f"{said.text} (perhaps {near[0]})")
        else:
            unknown.append(said.text)
    asked = [f"{ours}: is {', '.join(nearly)}?"] if nearly else []
    if unknown:
        blank = ", ".join(f'{_quoted(text)} = ""' for text in unknown[:12])
        asked.append(
            f"{ours}: what do {', '.join(unknown[:12])} of '{one.name}' mean? One of "
            f"{', '.join(allowed)}: codes = {{ {blank} }}"
        )
    if one.hidden:
        asked.append(f"{ours}: {one.hidden} values of '{one.name}' are not told; check lists them")
    if not codes:
        return [], asked
    value: dict[str, Any] = {"column": one.name}
    if any(theirs != code for theirs, code in codes.items()):
        value["codes"] = codes
    return [Line(ours, value, best.score, best.evidence)], asked


def unit_line(
    table: str, lines: Sequence[Line], chosen: Mapping[str, Match]
) -> tuple[list[Line], list[str]]:
    """Return the units, and the comparator, that names of columns say; else what to ask.

    A unit is never told from how large the numbers are.
    """
    there = {line.column for line in lines}
    made, asked = [], []
    for ours, best in chosen.items():
        unit = _unit_column(table, ours)
        if unit is None or unit in there:
            continue
        known = vocabulary().units.get(unit_text(best.theirs.unit_in_name))
        if known and known[1] and known[0] in _units_of(table, ours):
            says = f"the name of the column '{best.theirs.name}' says {best.theirs.unit_in_name}"
            made.append(Line(unit, {"constant": known[0], "assumption": says}, 0.9, says))
        else:
            asked.append(
                f"{unit}: neither the name of '{best.theirs.name}' nor its cells say a unit. Ask "
                f'who keeps it; then {unit} = {{ constant = "UNIT", assumption = "WHO SAID SO" }}'
            )
    if table == "labs" and "value" in chosen and "comparator" not in there:
        says = "no cell has a comparator: every value is taken as exact"
        made.append(Line("comparator", {"constant": "=", "assumption": says}, 0.5, says))
    return made, asked


def slug(text: str) -> str:
    """Return a text as a name of small letters, digits and underscores; empty where it has none."""
    return re.sub(r"[^a-z0-9]+", "_", normalised(text)).strip("_")


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
