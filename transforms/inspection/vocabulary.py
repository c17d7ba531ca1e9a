"""The words of hospitals for columns, codes, units and unknowns, read from `words/*.toml`."""

import re
import tomllib
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any

LANGUAGES = {"en": "English", "de": "German", "fr": "French", "es": "Spanish", "it": "Italian"}
LANGUAGES |= {"zh": "Chinese", "any": "any language"}

_SEPARATORS = re.compile(r"[^0-9a-z\u3400-\u9fff]+")
_CAMEL = re.compile(r"(?<=[a-zäöüß0-9])(?=[A-ZÄÖÜ])")
_OPEN, _CLOSE = r"\[({\uff08\uff3b", r"\])}\uff09\uff3d"
_BRACKETS = re.compile(rf"[{_OPEN}][^{_CLOSE}]*[{_CLOSE}]")
_LITTLE = frozenset(
    ["of", "the", "de", "du", "des", "la", "les", "l", "d", "der", "del", "della", "dell", "di"]
)
"""Words between the words of a name."""
_UNIT = re.compile(
    r"(?i)(?<![a-z])(?:mci|gbq|mbq|mm|cm|(?:ng|[um\u00b5\u03bc]?iu)[/_ ]ml|pmol[/_ ]l"
    r"|[u\u00b5\u03bc]g[/_ ]l|[mk]iu[/_ ]l)(?![a-z])"
)


@dataclass(frozen=True)
class Name:
    """One way to call a column: its words, and how much they say."""

    text: str
    """Normalised: lower case, no accents, one space between words."""
    language: str
    is_general: bool
    """Whether it says little alone, as `date` does."""


@dataclass(frozen=True)
class Vocabulary:
    """Everything that is known of how hospitals write."""

    columns: Mapping[tuple[str, str], tuple[Name, ...]]
    """(table, column) of the contract -> its names."""
    tables: Mapping[str, tuple[str, ...]]
    codes: Mapping[str, Mapping[str, str]]
    """Column of the contract (or yes_no) -> what a cell says, folded -> code of the contract."""
    units: Mapping[str, tuple[str, bool]]
    """A unit as written, folded -> unit of the contract, and whether it certainly is that one."""
    unit_texts: frozenset[str]
    """Every text that is a unit of something."""
    nulls: frozenset[str]
    odd_numbers: frozenset[str]
    odd_days: frozenset[str]
    months: frozenset[str]
    private: frozenset[str]
    day_counts: tuple[str, ...]


@lru_cache(1 << 16)
def folded(text: str) -> str:
    """Return a cell as codes are compared: lower case, without accents, one space at most.

    >>> folded("  Männlich "), folded("Féminin"), folded("女")
    ('mannlich', 'feminin', '女')
    """
    return " ".join(_plain(text).split())


@lru_cache(1 << 16)
def normalised(name: str) -> str:
    """Return a column's name as names are compared: no case, accents, units or separators.

    >>> normalised("OP-Datum"), normalised("Aktivität (MBq)"), normalised("dateOfBirth")
    ('op datum', 'aktivitat', 'date birth')
    >>> normalised("肺结节最大径(cm)"), normalised("I-131_dose_mCi"), normalised("¹³¹I-Dosis")
    ('肺结节最大径', 'i131 dose', '131i dosis')
    """
    bare = _UNIT.sub(" ", _BRACKETS.sub(" ", name))
    bare = _CAMEL.sub(" ", bare if bare.strip(" _-.") else name)
    words = _SEPARATORS.sub(" ", _plain(bare)).split()
    text = re.sub(r"\b(?:i|j) 131\b|\b(?:j131)\b", "i131", " ".join(words))
    text = re.sub(r"\b131 (?:i|j)\b", "131i", text)
    return " ".join(word for word in text.split() if word not in _LITTLE) or text


def _plain(text: str) -> str:
    lower = unicodedata.normalize("NFKC", text).casefold()
    decomposed = unicodedata.normalize("NFKD", lower)
    plain = "".join(char for char in decomposed if not unicodedata.combining(char))
    # Ä is written Ae where there is none: both sides of a comparison lose the e.
    return plain.replace("ae", "a").replace("oe", "o").replace("ue", "u")


@cache
def vocabulary() -> Vocabulary:
    """Return the words, read once."""
    columns, values, other = (_read(name) for name in ("columns", "values", "other"))
    units, texts = _units(values)
    return Vocabulary(
        {
            (table, column): tuple(_names(said))
            for table, of_table in columns.items()
            for column, said in of_table.items()
        },
        {
            table: tuple(dict.fromkeys(normalised(name) for name in names))
            for table, names in other["tables"].items()
        },
        {
            column: {folded(word): code for code, words in said.items() for word in words}
            for column, said in values["codes"].items()
        },
        units,
        texts,
        frozenset(word.lower() for word in values["nulls"]),
        frozenset(values["numbers_that_may_mean_unknown"]),
        frozenset(values["days_that_may_mean_unknown"]),
        frozenset(values["months"]),
        frozenset(normalised(word) for word in other["private"]["words"]),
        tuple(normalised(word) for word in other["day_counts"]["words"]),
    )


def unit_text(written: str) -> str:
    """Return a unit as units are compared.

    >>> unit_text("m Ci"), unit_text("μg / L")
    ('mci', 'μg/l')
    """
    return re.sub(r"\s+", "", written.lower()).strip(".")


def _read(name: str) -> dict[str, Any]:
    text = files("transforms.inspection").joinpath("words", f"{name}.toml").read_text("utf-8")
    return tomllib.loads(text)


def _names(said: dict[str, list[str]]) -> list[Name]:
    found: dict[str, Name] = {}
    for language, words in said.items():
        is_general = language == "general"
        for word in words:
            text = normalised(word)
            found.setdefault(text, Name(text, "any" if is_general else language, is_general))
    return list(found.values())


def _units(values: dict[str, Any]) -> tuple[dict[str, tuple[str, bool]], frozenset[str]]:
    known: dict[str, tuple[str, bool]] = {}
    for unit, said in values["units"].items():
        known |= {unit_text(text): (unit, True) for text in said["same"]}
        known |= {unit_text(text): (unit, False) for text in said["nearly"]}
    others = {unit_text(text) for text in values["other_units"]["words"]}
    return known, frozenset(known) | frozenset(others)
