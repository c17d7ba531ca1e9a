"""How cells are written: each distinct value of a column has one form, or is empty or a null.

The forms partition the cells: their counts add up to the records. A form is what is written, not
what is meant: `03/04/2014` is `day_or_month_first`, and only the column can tell which.
"""

import polars as pl

from transforms.inspection.vocabulary import vocabulary

NUMBERS = ("integer", "decimal_point", "decimal_comma", "thousands")
"""Forms of a number that stands alone."""
MEASURED = ("compared", "with_unit")
"""Forms of a number with a comparator before it or a unit after it."""
YEAR_FIRST = {
    "year_slash": "%Y/%m/%d",
    "year_dot": "%Y.%m.%d",
    "year_dash": "%Y-%m-%d",
    "year_sign": "%Y年%m月%d日",
}
"""Forms that begin with the year, in strptime's codes."""
DAYS = (
    "iso",
    "day_first",
    "month_first",
    "day_or_month_first",
    *YEAR_FIRST,
    "compact",
    "named_month",
    "two_digit_year",
)
"""Forms of a whole date."""
PARTIAL = ("month",)
"""Forms of a date without a day. A year alone is an integer; the column tells."""
EMPTY, NULL, TEXT = "empty", "null", "text"
FORMS = (EMPTY, NULL, *NUMBERS, *MEASURED, *DAYS, *PARTIAL, TEXT)

LONGEST = 40
"""A cell with more characters is text."""
_NUMBER = r"[+-]?(?:[0-9]+(?:[.,][0-9]+)?|[.,][0-9]+)"
_UNIT = r"[\s-]*[\p{L}µμ%\[].{0,24}"
_STARTS = r"^[0-9<>≤≥=+.,-]"
"""What is no number and no date starts otherwise, but for a month by its name."""
_SHAPES = (
    ("integer", r"^[+-]?[0-9]+$"),
    ("decimal_point", r"^[+-]?[0-9]*\.[0-9]+$"),
    ("decimal_comma", r"^[+-]?[0-9]*,[0-9]+$"),
    ("thousands", r"^[+-]?[0-9]{1,3}(?:[., '\u{2019}\u{a0}\u{202f}][0-9]{3})+(?:[.,][0-9]+)?$"),
    ("iso", r"^[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[T ]\s*[0-9]{2}:[0-9]{2}.*)?$"),
    (
        "local",
        r"^[0-9]{1,2}(?:\.\s?[0-9]{1,2}\.\s?|/[0-9]{1,2}/|-[0-9]{1,2}-)[0-9]{4}(?:[T ].*)?$",
    ),
    ("two_digit_year", r"^[0-9]{1,2}(?:\.[0-9]{1,2}\.|/[0-9]{1,2}/|-[0-9]{1,2}-)[0-9]{2}$"),
    *(
        (name, rf"^[0-9]{{4}}{mark}[0-9]{{1,2}}{other}[0-9]{{1,2}}{end}(?: .*)?$")
        for name, mark, other, end in (
            ("year_slash", "/", "/", ""),
            ("year_dot", r"\.", r"\.", ""),
            ("year_dash", "-", "-", ""),
            ("year_sign", "年", "月", "日"),
        )
    ),
    ("month", r"^(?:[0-9]{4}[-/.][0-9]{1,2}|[0-9]{1,2}[/.-][0-9]{4}|[0-9]{4}年[0-9]{1,2}月)$"),
    ("named_month", r"^[0-9]{1,2}[-./ ]{0,2}\p{L}{3,9}[-./ ]{0,2}(?:[0-9]{2}|[0-9]{4})$"),
    ("compared", rf"^(?:[<>≤≥]=?|=)\s*{_NUMBER}(?:{_UNIT})?$"),
    ("with_unit", rf"^{_NUMBER}{_UNIT}$"),
)
_MONTH_FIRST = r"^\p{L}{3,9}\.? [0-9]{1,2},? [0-9]{4}$"
_PARTS = r"^([0-9]{1,2})[./-]\s?([0-9]{1,2})[./-]"
UNIT_TEXT = r"^[<>≤≥=]*\s*[+-]?[0-9.,]+[\s-]*([\p{L}µμ%\[\]]+(?:\s?/\s?[\p{L}]+)?)"
"""The unit behind a number."""


def with_forms(values: pl.DataFrame) -> pl.DataFrame:
    """Add `form`, and `unit` as written behind a number, to the distinct values of a column.

    One row per distinct value: value (trimmed; null: no cell), n (how many cells have it).
    """
    text = pl.col("value")
    stripped = values.select(text.str.strip_chars(), "n")
    if not stripped["value"].equals(values["value"]):
        stripped = stripped.group_by("value").agg(pl.col("n").sum())
    is_empty = text.is_null() | (text == "")
    may_be_number = text.str.contains(_STARTS) & (text.str.len_chars() <= LONGEST)
    sorted_out = stripped.with_columns(
        raw=pl.when(is_empty).then(pl.lit(EMPTY)).when(~may_be_number).then(pl.lit(TEXT))
    )
    numbers = sorted_out.filter(pl.col("raw").is_null()).with_columns(raw=_raw_form(text))
    words = sorted_out.filter(pl.col("raw").is_not_null())
    is_month = (pl.col("raw") == TEXT) & text.str.contains(_MONTH_FIRST)
    words = words.with_columns(raw=pl.when(is_month).then(pl.lit("named_month")).otherwise("raw"))
    found = pl.concat([numbers, words])
    measured = pl.col("raw").is_in(("compared", "with_unit"))
    unit = text.str.extract(UNIT_TEXT, 1).str.strip_chars()
    has_units = found["raw"].is_in(("compared", "with_unit")).any()
    no_unit = pl.lit(None, dtype=pl.String)
    found = found.with_columns(unit=pl.when(measured).then(unit if has_units else no_unit))
    return found.select("value", "n", "unit", form=_form(found))


def _raw_form(text: pl.Expr) -> pl.Expr:
    form = pl.lit(TEXT)
    for name, pattern in reversed(_SHAPES):
        form = pl.when(text.str.contains(pattern)).then(pl.lit(name)).otherwise(form)
    return form


def _form(found: pl.DataFrame) -> pl.Expr:
    """Settle what the pattern left open: the order of a date, 8 digits, a unit."""
    words = vocabulary()
    value, raw, lower = pl.col("value"), pl.col("raw"), pl.col("value").str.to_lowercase()
    settled = raw
    there = set(found["raw"].unique())
    if "local" in there:
        settled = pl.when(raw == "local").then(_part_order(value)).otherwise(settled)
    if "integer" in there:
        settled = (
            pl.when((raw == "integer") & _is_compact(value))
            .then(pl.lit("compact"))
            .otherwise(settled)
        )
    if "named_month" in there:
        months = "|".join(sorted(words.months, key=len, reverse=True))
        named = lower.str.contains(rf"(?:^|[^\p{{L}}])(?:{months})(?:[^\p{{L}}]|$)")
        settled = pl.when((raw == "named_month") & ~named).then(pl.lit(TEXT)).otherwise(settled)
    if "with_unit" in there:
        known = pl.col("unit").str.to_lowercase().str.replace_all(r"\s", "").is_in(words.unit_texts)
        is_text = (raw == "with_unit") & ~known
        settled = pl.when(is_text).then(pl.lit(TEXT)).otherwise(settled)
    is_null = lower.is_in(words.nulls) & (raw != EMPTY)
    # Where a cell says "+", a "-" is an answer.
    is_null &= ~((value == "-") & (value == "+").any())
    return pl.when(is_null).then(pl.lit(NULL)).otherwise(settled)


def _part_order(value: pl.Expr) -> pl.Expr:
    first = value.str.extract(_PARTS, 1).cast(pl.Int32, strict=False)
    second = value.str.extract(_PARTS, 2).cast(pl.Int32, strict=False)
    fits = first.is_between(1, 31) & second.is_between(1, 31) & ((first <= 12) | (second <= 12))
    return (
        pl.when(~fits)
        .then(pl.lit(TEXT))
        .when(first > 12)
        .then(pl.lit("day_first"))
        .when(second > 12)
        .then(pl.lit("month_first"))
        .otherwise(pl.lit("day_or_month_first"))
    )


def _is_compact(value: pl.Expr) -> pl.Expr:
    """Tell eight digits that are a day of the years 1900 to 2099."""
    shape = r"^(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])$"
    shaped = pl.when(value.str.contains(shape))
    return shaped.then(value).str.to_date("%Y%m%d", strict=False).is_not_null()
