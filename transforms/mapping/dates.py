"""Dates as DuckDB SQL: text in many forms to ISO 8601, whole or partial, by macros.

A text that does not have the form stays as it is: the contract sets it aside.
"""

_ISO = r"'[0-9]{4}(-[0-9]{2}(-[0-9]{2})?)?([T ].*)?'"
_ZONED = r"'[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9:.]+ *(Z|[+-][0-9]{2}:?([0-9]{2})?)'"
_WHOLE = r"'^([0-9]{1,2})[./-]([0-9]{1,2})[./-]([0-9]{4})([T ].*)?$'"
_MONTH = r"'^([0-9]{1,2})[./-]([0-9]{4})$'"


def _in_order(day: int, month: int) -> str:
    """Return how 31.12.2020, 31/12/2020 and 31-12-2020 read, or month first; also 12/2020."""

    def part(pattern: str, group: int) -> str:
        return f"lpad(regexp_extract(t, {pattern}, {group}), 2, '0')"

    return (
        f"CASE WHEN regexp_matches(t, {_WHOLE}) THEN regexp_extract(t, {_WHOLE}, 3) || '-' || "
        f"{part(_WHOLE, month)} || '-' || {part(_WHOLE, day)} "
        f"WHEN regexp_matches(t, {_MONTH}) THEN regexp_extract(t, {_MONTH}, 2) || '-' || "
        f"{part(_MONTH, 1)} ELSE t END"
    )


MACROS = {
    "is_date(t)": f"regexp_full_match(t, {_ISO})",
    "from_ymd(t)": "CASE WHEN regexp_full_match(t, '[0-9]{8}') "
    "THEN t[1:4] || '-' || t[5:6] || '-' || t[7:8] "
    "WHEN regexp_full_match(t, '[0-9]{6}') THEN t[1:4] || '-' || t[5:6] ELSE t END",
    "from_dmy(t)": _in_order(1, 2),
    "from_mdy(t)": _in_order(2, 1),
    "from_excel(t)": "CASE WHEN try_cast(t AS DOUBLE) BETWEEN 1 AND 80000 THEN strftime("
    "DATE '1899-12-30' + CAST(floor(try_cast(t AS DOUBLE)) AS INTEGER), '%Y-%m-%d') ELSE t END",
    "from_form(t, form)": "coalesce(strftime(try_strptime(t, form), '%Y-%m-%d'), t)",
    "local_day(t, zone)": f"CASE WHEN regexp_full_match(t, {_ZONED}) THEN coalesce(strftime("
    "try_cast(t AS TIMESTAMPTZ) AT TIME ZONE zone, '%Y-%m-%d'), t) ELSE t END",
    "from_parts(y, m, d)": "CASE WHEN y IS NULL THEN NULL WHEN m IS NULL THEN y "
    "WHEN d IS NULL THEN y || '-' || lpad(m, 2, '0') "
    "ELSE y || '-' || lpad(m, 2, '0') || '-' || lpad(d, 2, '0') END",
    "whole_year(t, rest)": "CASE WHEN regexp_full_match(t, '[0-9]{4}') "
    "THEN t || '-' || rest ELSE t END",
    "whole_month(t, rest)": "CASE WHEN regexp_full_match(t, '[0-9]{4}-[0-9]{2}') "
    "THEN t || '-' || rest ELSE t END",
    "days_after(t, n)": "CASE WHEN n IS NULL THEN NULL "
    "WHEN try_cast(t AS DATE) IS NOT NULL AND abs(try_cast(n AS DOUBLE)) < 100000 "
    "AND try_cast(n AS DOUBLE) = floor(try_cast(n AS DOUBLE)) "
    "THEN strftime(try_cast(t AS DATE) + CAST(try_cast(n AS DOUBLE) AS INTEGER), '%Y-%m-%d') "
    "ELSE coalesce(t, '?') || ' + ' || n || ' days' END",
}
"""Macro with its parameters -> what it stands for."""


def is_date(text: str) -> str:
    """Tell whether a text is a date that the contract reads."""
    return f"is_date({text})"


def as_iso(text: str, form: str, time_zone: str | None) -> str:
    """Return a date as the contract writes it, from the form that it is written in."""
    if form == "iso":
        return text if time_zone is None else f"local_day({text}, {_literal(time_zone)})"
    if "%" in form:
        return f"from_form({text}, {_literal(form)})"
    return f"from_{form}({text})"


def of_parts(year: str, month: str, day: str) -> str:
    """Return a date from its year, month and day; without a day a month, without both a year."""
    return f"from_parts({year}, {month}, {day})"


def completed(text: str, rest: str) -> str:
    """Return a year with the month and day of `rest` (`07-01`), or a month with its day (`15`)."""
    return f"whole_{'year' if '-' in rest else 'month'}({text}, {_literal(rest)})"


def shifted(start: str, days: str) -> str:
    """Return the date so many days after `start`; what cannot be counted stays to be set aside."""
    return f"days_after({start}, {days})"


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
