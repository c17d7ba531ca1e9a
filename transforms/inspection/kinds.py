"""What kind of thing a column holds, told from its name and the forms of its values."""

from collections.abc import Mapping
from typing import Literal

import polars as pl

from transforms.inspection import forms as f
from transforms.inspection.vocabulary import folded, normalised, vocabulary

Kind = Literal["empty", "number", "date", "days", "code", "identifier", "personal", "text", "mixed"]

MOST = 0.9
"""The share of the filled cells from which on a column is of a kind."""
MOST_CODES = 60
_FEW_NUMBERS = 12
_ID_WORDS = frozenset(
    [
        "id",
        "ids",
        "nr",
        "no",
        "num",
        "number",
        "numero",
        "nummer",
        "uuid",
        "barcode",
        "key",
        "code",
        "pseudonym",
        "mrn",
        "pid",
        "kennung",
    ]
)
_ID_SIGNS = ("编号", "号码", "病历号", "住院号", "登记号")
_DATE_WORDS = frozenset(
    ["date", "datum", "dat", "fecha", "data", "dob", "dod", "am", "day", "born", "le"]
)
_DATE_SIGNS = ("日期", "时间", "生日")
_YEAR_WORDS = frozenset(["year", "jahr", "annee", "ano", "anno", "yr"])
_EXCEL = (10_000, 60_000)
"""Serial days of the years 1927 to 2064."""
_INTEGER = pl.col("value").cast(pl.Int64, strict=False)


def without_compact(by_form: dict[str, int]) -> dict[str, int]:
    """Take eight digits for numbers again where other whole numbers stand beside them."""
    compact, integers = by_form.get("compact", 0), by_form.get("integer", 0)
    if compact and integers > (compact + integers) * (1 - MOST):
        by_form = by_form | {"integer": integers + compact}
        del by_form["compact"]
    return by_form


def kind_of(
    name: str, labels: tuple[str, ...], filled: pl.DataFrame, by_form: Mapping[str, int], cells: int
) -> tuple[Kind, str, str]:
    """Return the kind of a column, how it is written, and what stays in doubt."""
    if not cells:
        return "empty", "", ""
    if is_private(name, labels):
        return "personal", "", ""
    dates = sum(by_form.get(form, 0) for form in (*f.DAYS, *f.PARTIAL))
    if dates >= MOST * cells:
        return "date", *_date_convention(by_form)
    integers = by_form.get("integer", 0)
    if integers >= MOST * cells and (said := _counted_time(name, filled)):
        return said
    if names_identifier(name) and filled.height > 1 and not is_measured(by_form, cells):
        return "identifier", "", ""
    numbers = sum(by_form.get(form, 0) for form in (*f.NUMBERS, *f.MEASURED))
    if numbers >= MOST * cells:
        if _looks_numbered(filled, cells):
            return "identifier", "", ""
        if integers >= MOST * cells and _repeats(filled, cells, _FEW_NUMBERS):
            return "code", "", ""
        return "number", *_decimal_convention(by_form)
    if _repeats(filled, cells, MOST_CODES) or _is_vocabulary(filled, cells):
        return "code", "", ""
    if max(dates, numbers) > (1 - MOST) * cells:
        return "mixed", "", "some cells are numbers or dates, others are neither"
    return ("identifier" if _looks_named(filled, cells) else "text"), "", ""


def is_measured(by_form: Mapping[str, int], cells: int) -> bool:
    """Tell whether cells have decimals, units or comparators."""
    written = ("decimal_point", "decimal_comma", "with_unit", "compared")
    return sum(by_form.get(form, 0) for form in written) > (1 - MOST) * cells


def _date_convention(by_form: Mapping[str, int]) -> tuple[str, str]:
    first, second = by_form.get("day_first", 0), by_form.get("month_first", 0)
    either, short = by_form.get("day_or_month_first", 0), by_form.get("two_digit_year", 0)
    if first and second:
        return "", f"{first:,} cells have the day first, {second:,} the month: two conventions"
    local = first + second + either
    found = {
        "iso": by_form.get("iso", 0) + by_form.get("month", 0),
        "ymd": by_form.get("compact", 0),
        **{written: by_form.get(form, 0) for form, written in f.YEAR_FIRST.items()},
        "mdy" if second else "dmy": local,
        "month by name": by_form.get("named_month", 0),
        "two-digit years": short,
    }
    main = max(found, key=lambda one: found[one])
    if local and main in ("dmy", "mdy") and not first and not second:
        return "", f"day or month first? all {either:,} cells could be either"
    others = [f"{n:,} cells {what}" for what, n in found.items() if n and what != main]
    if main == "two-digit years":
        return "", "two digits of a year leave the century open, and the order of day and month"
    return main, "; ".join(others)


def _decimal_convention(by_form: Mapping[str, int]) -> tuple[str, str]:
    point, comma = by_form.get("decimal_point", 0), by_form.get("decimal_comma", 0)
    if point and comma:
        return "", f"{point:,} cells have a decimal point, {comma:,} a comma"
    return ("decimal comma" if comma else "decimal point" if point else ""), ""


def _counted_time(name: str, filled: pl.DataFrame) -> tuple[Kind, str, str] | None:
    """Tell integers that are days from a day, years, or serial days of a workbook, by name."""
    words = set(normalised(name).split())
    low, high = filled.select(low=_INTEGER.min(), high=_INTEGER.max()).row(0)
    text = f" {normalised(name)} "
    if any(f" {said} " in text or (not said.isascii() and said in text) for said in _days_said()):
        return "days", "days from another day", "days from which day?"
    is_date = _speaks_of(words, _DATE_WORDS) or any(sign in name for sign in _DATE_SIGNS)
    is_year = _speaks_of(words, _YEAR_WORDS) or "年" in name
    if (is_date or is_year) and low >= 1900 and high <= 2100:
        return "date", "year", ""
    if is_date and low >= _EXCEL[0] and high <= _EXCEL[1]:
        return "date", "excel", "serial days of a workbook, by the name of the column"
    return None


def _speaks_of(words: set[str], of: frozenset[str]) -> bool:
    """Tell whether a name has one of some words, alone or as the end of a German compound."""
    long = tuple(word for word in of if len(word) >= 4)
    return bool(words & of) or any(word.endswith(long) for word in words)


def _days_said() -> tuple[str, ...]:
    return vocabulary().day_counts


def names_identifier(name: str) -> bool:
    """Tell whether a column is called an identifier."""
    text = normalised(name)
    known = vocabulary().columns[("patients", "patient_id")]
    is_said = any(text == one.text for one in known)
    return is_said or bool(set(text.split()) & _ID_WORDS) or any(s in name for s in _ID_SIGNS)


def names_patient(name: str) -> bool:
    """Tell whether a column is called an identifier of patients, and of nothing else."""
    text = normalised(name)
    known = vocabulary().columns[("patients", "patient_id")]
    return any(
        text == one.text or f" {one.text} " in f" {text} " for one in known if not one.is_general
    )


def is_private(name: str, labels: tuple[str, ...] = ()) -> bool:
    """Tell whether a column is called what is nobody's business here: names, addresses."""
    private = vocabulary().private
    return any(
        text in private or any(not word.isascii() and word in text for word in private)
        for text in map(normalised, (name, *labels))
    )


def _repeats(filled: pl.DataFrame, cells: int, most: int) -> bool:
    return filled.height <= most and cells >= 2 * filled.height


def _is_vocabulary(filled: pl.DataFrame, cells: int) -> bool:
    """Tell whether nearly all cells say what is known to be a code."""
    if filled.height > MOST_CODES:
        return False
    known = sum(n for value, n in filled.select("value", "n").iter_rows() if is_known(value))
    return bool(known >= MOST * cells)


def is_known(value: str) -> bool:
    """Tell whether a cell says something that is a code in medicine, and no name of anybody."""
    text = folded(value)
    return any(text in codes for codes in vocabulary().codes.values())


def _looks_numbered(filled: pl.DataFrame, cells: int) -> bool:
    """Tell whole numbers that tell things apart from numbers that measure."""
    if not bool(filled["form"].is_in(("integer", "compact")).all()):
        return False
    is_long = bool((filled["value"].str.len_chars() >= 5).all())
    low, high = filled.select(low=_INTEGER.min(), high=_INTEGER.max()).row(0)
    is_counted = filled.height == cells >= 20 and low is not None and high - low < 2 * cells
    return (is_long and filled.height > 0.3 * cells) or is_counted


def _looks_named(filled: pl.DataFrame, cells: int) -> bool:
    """Tell texts that tell things apart: no blanks, and a number in nearly all of them."""
    text = filled["value"]
    numbered = text.str.contains(r"\d") & ~text.str.contains(r"\s")
    return bool(numbered.sum() >= MOST * filled.height) and 1 < filled.height <= cells
