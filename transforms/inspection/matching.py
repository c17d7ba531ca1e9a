"""Which column of a file may be which column of the contract: by its name, then by its values.

A score is from 0 to 1: how well the name fits, times how well the values fit. Numbers and dates
only have to be such; codes that are known words are evidence of their own. How large a number is
says nothing here: a unit is never told from a magnitude.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import cache

import polars as pl

from schemas.registry import TABLES
from transforms.inspection.found import Looked
from transforms.inspection.profile import Profile
from transforms.inspection.vocabulary import (
    LANGUAGES,
    folded,
    normalised,
    unit_text,
    vocabulary,
)

LEAST = 0.3
"""A match with a lower score is not proposed."""
MOST = 0.98
TIE = 0.05
_GENERAL, _GENERAL_AT_HOME = 0.35, 0.8
"""What a name like `date` counts, anywhere and in a file of that table."""
_BY_VALUES = 0.5
"""What known codes count under a name that says nothing."""
_SPEAKING = ("sex", "histology", "procedure", "analyte", "modality", "site", "recist")
"""Columns whose codes are told from others by themselves."""
_DOUBTS = re.compile(
    r"\b(?:no|not|none|without|negative|free|neither|possibl[ey]|probabl[ey]|suspect\w*|suspicious"
    r"|kein\w*|nicht|ohne|frei|verdacht\w*|v\.? ?a\.?|ausgeschlossen|fraglich|moglich\w*"
    r"|pas|sans|aucun\w*|absence|suspicion|sin|ningun\w*|ausencia|sospech\w*"
    r"|senza|nessun\w*|assenza|sospett\w*|non)\b|\?|[无未不非否排疑]"
)
"""A text with one of these may say the contrary of the word in it."""
_TNM = r"(?i)^[cpyra]*[tnm]?\s?(?:[0-4x][a-d]?|is|in situ)(?:\(.*\))?(?:mi|sn)?$"


@dataclass(frozen=True)
class Match:
    """A column of a file for a column of the contract."""

    ours: str
    theirs: Profile
    score: float
    evidence: str
    covered: float = 1.0
    """The share of the filled cells that can be read or are known codes."""


def name_score(theirs: Profile, table: str, ours: str, at_home: bool) -> tuple[float, str]:
    """Return how well a column's name (or another header line) fits, and how it does."""
    best, how = 0.0, ""
    known = [
        (n.text, n.language, n.is_general) for n in vocabulary().columns.get((table, ours), ())
    ]
    known.append((normalised(ours), "any", ours in ("value", "unit", "type", "site", "found")))
    for factor, said in ((1.0, theirs.name), *((0.9, label) for label in theirs.labels)):
        text = normalised(said)
        for word, language, is_general in known:
            fits = _fits(text, word, is_general)
            if is_general:
                fits *= _GENERAL_AT_HOME if at_home else _GENERAL
            if fits * factor > best:
                of = "" if language == "any" else f" ({LANGUAGES[language]})"
                what = f"'{said}'" if said == theirs.name else f"'{theirs.name}' is also '{said}'"
                best, how = fits * factor, f"column {what}{of}"
    return best, how


@cache
def _fits(text: str, word: str, is_general: bool) -> float:
    """Compare two normalised names: equal, one within the other, or nearly equal."""
    if text == word:
        return 1.0
    if not text or not word:
        return 0.0
    share = len(word) / len(text)
    cjk = not word.isascii()
    if f" {word} " in f" {text} " and len(word) >= 3:
        return (0.3 if is_general else 0.55) + 0.4 * share
    if word in text and (len(word) >= 7 or (cjk and len(word) >= 2)) and not is_general:
        return 0.5 + 0.4 * share
    if min(len(word), len(text)) < 7 or text[:2] != word[:2] or not 0.8 < share < 1.25:
        return 0.0
    alike = SequenceMatcher(None, text, word).ratio()
    return 0.75 * alike if alike >= 0.88 else 0.0


def code_of(value: str, ours: str) -> tuple[str, bool] | None:
    """Return the code that a cell says, and whether the very word is known.

    >>> code_of("W", "sex"), code_of("Papillary carcinoma, classical", "histology")
    (('female', True), ('PTC', False))
    >>> code_of("no sign of lung metastases", "site"), code_of("V.a. pulmonale Filiae", "site")
    (None, None)
    """
    text, codes = folded(value), codes_for(ours)
    if text in codes:
        return codes[text], True
    if _DOUBTS.search(text):
        return None
    inside = {
        code
        for word, code in codes.items()
        if len(word) >= (5 if word.isascii() else 3) and word in text
    }
    return (inside.pop(), False) if len(inside) == 1 else None


@cache
def codes_for(ours: str) -> Mapping[str, str]:
    """Return what cells of a column say -> its code."""
    words = vocabulary().codes
    if ours in ("found", "fdg_positive"):
        return words["yes_no"]
    if ours == "stimulated":
        return {**words["yes_no"], **words["stimulated"]}
    if ours == "unit" or ours.endswith("_unit"):
        units = vocabulary().units
        return {folded(text): unit for text, (unit, is_sure) in units.items() if is_sure}
    return words.get(ours, {})


def is_coded(table: str, ours: str) -> bool:
    """Tell whether a column of the contract has codes."""
    dtype = TABLES[table].schema.columns[ours].dtype.type
    return isinstance(dtype, pl.Enum) or dtype == pl.Boolean


def known_share(theirs: Profile, table: str, ours: str) -> tuple[float, tuple[str, ...]]:
    """Return the share of the filled cells whose value is a code, and the codes."""
    if not theirs.values.height or not theirs.filled:
        return 0.0, ()
    allowed = getattr(TABLES[table].schema.columns[ours].dtype.type, "categories", ("yes", "no"))
    cells, found = 0.0, set()
    for value, n in theirs.values.iter_rows():
        text = unit_text(value) if ours.endswith("unit") else value
        if (code := code_of(text, ours)) and code[0] in allowed:
            cells += n if code[1] else 0.7 * n
            found.add(code[0])
    return cells / theirs.filled, tuple(sorted(found))


def match(theirs: Profile, table: str, ours: str, at_home: bool) -> Match | None:
    """Return how a column of a file fits one of the contract; None where it does not."""
    if theirs.kind in ("empty", "personal"):
        return None
    by_name, how = name_score(theirs, table, ours, at_home)
    if is_coded(table, ours):
        share, codes = known_share(theirs, table, ours)
        percent = f"values of {', '.join(codes)} cover {share:.0%} of {theirs.filled:,} cells"
        if by_name < LEAST and ours in _SPEAKING and len(codes) > 1 and share >= 0.8:
            return Match(
                ours, theirs, _BY_VALUES * share, f"column '{theirs.name}': {percent}", share
            )
        if theirs.kind not in ("code", "text", "mixed", "number"):
            return None
        words = percent if codes else "no value of it is a known word"
        return _scored(ours, theirs, by_name * (0.5 + 0.5 * share), f"{how}; {words}", share)
    factor, words = _compatible(theirs, table, ours)
    return _scored(ours, theirs, by_name * factor, f"{how}; {words}", factor)


def _scored(
    ours: str, theirs: Profile, score: float, evidence: str, covered: float
) -> Match | None:
    if score < LEAST:
        return None
    return Match(ours, theirs, round(min(score, MOST), 2), evidence, covered)


def _compatible(theirs: Profile, table: str, ours: str) -> tuple[float, str]:
    """Return how far the values can be what a column wants, and in words."""
    dtype = TABLES[table].schema.columns[ours].dtype.type
    if dtype == pl.Date:
        if theirs.kind == "date":
            sure = 0.8 if theirs.doubt and not theirs.convention else 1.0
            return sure, f"dates, {theirs.convention or theirs.doubt}"
        return (0.5, "days from another day") if theirs.kind == "days" else (0.1, "no dates")
    if dtype == pl.Float64:
        if theirs.kind == "number":
            return 1.0, f"numbers in {theirs.filled:,} cells"
        is_whole = theirs.share(
            "integer", "decimal_point", "decimal_comma", "with_unit", "compared"
        )
        return is_whole, f"{is_whole:.0%} of the cells are numbers"
    if ours in ("t", "n", "m"):
        if not theirs.values.height:
            return 0.1, "no categories"
        fits = int(theirs.values.filter(pl.col("value").str.contains(_TNM))["n"].sum())
        return fits / theirs.filled, f"{fits / theirs.filled:.0%} of the cells are categories"
    if ours == TABLES[table].key:
        return (1.0, "each record has its own") if theirs.is_key else (0.2, "not each its own")
    is_said = theirs.kind in ("code", "text", "mixed", "number")
    return (1.0, f"{theirs.distinct:,} values") if is_said else (0.2, f"a {theirs.kind}")


def assign(
    looked: Looked, table: str, at_home: bool, without: Iterable[str] = ()
) -> tuple[dict[str, Match], dict[str, list[Match]]]:
    """Give each column of a table its best column of a file, each used once.

    Returns the matches, and per column what else it could be: a tie first.
    """
    left_out = {*without, "patient_id"}
    found = [
        fits
        for ours in TABLES[table].columns
        if ours not in left_out
        for theirs in looked.columns
        if (fits := match(theirs, table, ours, at_home))
    ]
    order = {ours: at for at, ours in enumerate(TABLES[table].columns)}
    found.sort(key=lambda one: (-one.score, order[one.ours], one.theirs.name))
    chosen: dict[str, Match] = {}
    used = {looked.patient[0]} if looked.patient else set()
    for one in found:
        if one.ours not in chosen and one.theirs.name not in used:
            chosen[one.ours] = one
            used.add(one.theirs.name)
    others = {
        ours: [o for o in found if o.ours == ours and o.theirs.name != best.theirs.name]
        for ours, best in chosen.items()
    }
    return chosen, others


def ties(best: Match, others: Sequence[Match]) -> list[Match]:
    """Return what fits as well as the best."""
    return [one for one in others if best.score - one.score <= TIE]
