"""Units written in UCUM, read by its grammar: what a unit is of ours, and by which factor.

A unit is a product of terms (`ng/mL`, `u[IU]/mL`, `g/mL{SUVbw}`), each a prefix, an atom and an
exponent. Only the atoms that this registry's values are written in are known; any other unit, and
one with a remark in braces, is none of ours. Source: the Unified Code for Units of Measure.
"""

import re
from dataclasses import dataclass
from fractions import Fraction

_PREFIXES = {
    "": 0, "G": 9, "M": 6, "k": 3, "d": -1, "c": -2, "m": -3, "u": -6, "n": -9, "p": -12
}  # fmt: skip
_ATOMS: dict[str, tuple[Fraction, str]] = {
    "g": (Fraction(1), "g"),
    "m": (Fraction(1), "m"),
    "L": (Fraction(1), "L"),
    "l": (Fraction(1), "L"),
    "mol": (Fraction(1), "mol"),
    "Bq": (Fraction(1), "Bq"),
    "Ci": (Fraction(37_000_000_000), "Bq"),
    "[IU]": (Fraction(1), "IU"),
    "[iU]": (Fraction(1), "IU"),
}
_METRIC = {"g", "m", "L", "l", "mol", "Bq", "Ci", "[IU]", "[iU]"}
_TERM = re.compile(r"([./]?)([A-Za-z]*(?:\[[A-Za-z]+\])?)([+-]?[0-9]?)((?:\{[^{}]*\})?)")

_OURS = {
    "mCi": "mCi",
    "MBq": "MBq",
    "GBq": "GBq",
    "mm": "mm",
    "cm": "cm",
    "ng/mL": "ng/mL",
    "ug/L": "ug/L",
    "pmol/L": "pmol/L",
    "IU/mL": "[IU]/mL",
    "kIU/L": "k[IU]/L",
    "mIU/L": "m[IU]/L",
    "uIU/mL": "u[IU]/mL",
}
"""Unit of the contract -> the same in UCUM."""

_SCALED_TO = ("MBq", "cm")
"""What an activity or a length becomes in a unit that is none of ours."""


@dataclass(frozen=True)
class Unit:
    """A unit: how many of the base units it is, and which those are with their exponents."""

    factor: Fraction
    of: tuple[tuple[str, int], ...]


def parsed(text: str) -> Unit | None:
    """Return what a unit in UCUM is; None for one that is not valid, or has other atoms.

    >>> parsed("u[IU]/mL") == parsed("m[IU]/L")
    True
    >>> parsed("mIU/L") is None
    True
    """
    factor, exponents, at = Fraction(1), dict[str, int](), 0
    while at < len(text):
        found = _TERM.match(text, at)
        if found is None or found.end() == at or not (found[2] or found[4]):
            return None
        if (at and not found[1]) or (not at and found[1] == "."):
            return None
        atom = _atom(found[2]) if found[2] else (Fraction(1), "")
        if atom is None or found[3] in ("+", "-"):
            return None
        power = int(found[3] or 1) * (-1 if found[1] == "/" else 1)
        factor *= atom[0] ** power
        if atom[1]:
            exponents[atom[1]] = exponents.get(atom[1], 0) + power
        at = found.end()
    named = tuple(sorted((name, power) for name, power in exponents.items() if power))
    return Unit(factor, named) if named else None


def _atom(text: str) -> tuple[Fraction, str] | None:
    """Return the factor and the base unit of an atom with its prefix."""
    for prefix, power in _PREFIXES.items():
        name = text[len(prefix) :]
        if text.startswith(prefix) and name in _ATOMS and (not prefix or name in _METRIC):
            factor, base = _ATOMS[name]
            return factor * Fraction(10) ** power, base
    return None


_KNOWN = {ours: unit for ours, code in _OURS.items() if (unit := parsed(code))}


def ours(text: str) -> tuple[str, Fraction] | None:
    """Return the contract's unit for one in UCUM, and what a value has to be multiplied by.

    >>> ours("ng/mL"), ours("m[IU]/L")
    (('ng/mL', Fraction(1, 1)), ('mIU/L', Fraction(1, 1)))
    >>> ours("kBq")
    ('MBq', Fraction(1, 1000))
    >>> ours("g/mL{SUVbw}") is ours("furlong") is None
    True
    """
    for name, code in _OURS.items():
        if code == text:
            return name, Fraction(1)
    unit = parsed(text)
    if unit is None or "{" in text:
        return None
    same = [name for name, known in _KNOWN.items() if known == unit]
    if same:
        return same[0], Fraction(1)
    for name in _SCALED_TO:
        if _KNOWN[name].of == unit.of:
            return name, unit.factor / _KNOWN[name].factor
    return None
