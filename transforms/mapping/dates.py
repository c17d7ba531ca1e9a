"""Dates as expressions of DuckDB SQL: text in many forms to ISO 8601, whole or partial.

A text that does not have the form stays as it is: the contract sets it aside.
"""

_ISO = r"'[0-9]{4}(-[0-9]{2}(-[0-9]{2})?)?([T ].*)?'"
_ZONED = r"'[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9:.]+ *(Z|[+-][0-9]{2}:?([0-9]{2})?)'"
_EXCEL_FIRST, _EXCEL_LAST = 1, 80_000


def is_date(text: str) -> str:
    """Tell whether a text is a date that the contract reads."""
    return f"regexp_full_match({text}, {_ISO})"


def as_iso(text: str, form: str, time_zone: str | None) -> str:
    """Return a date as the contract writes it, from the form that it is written in."""
    if form == "iso":
        return text if time_zone is None else _local(text, time_zone)
    if form == "ymd":
        return (
            f"CASE WHEN regexp_full_match({text}, '[0-9]{{8}}') THEN "
            f"{text}[1:4] || '-' || {text}[5:6] || '-' || {text}[7:8] "
            f"WHEN regexp_full_match({text}, '[0-9]{{6}}') THEN {text}[1:4] || '-' || {text}[5:6] "
            f"ELSE {text} END"
        )
    if form in ("dmy", "mdy"):
        return _local_order(text, form)
    if form == "excel":
        number = f"try_cast({text} AS DOUBLE)"
        return (
            f"CASE WHEN {number} BETWEEN {_EXCEL_FIRST} AND {_EXCEL_LAST} THEN "
            f"strftime(DATE '1899-12-30' + CAST(floor({number}) AS INTEGER), '%Y-%m-%d') "
            f"ELSE {text} END"
        )
    quoted = "'" + form.replace("'", "''") + "'"
    return f"coalesce(strftime(try_strptime({text}, {quoted}), '%Y-%m-%d'), {text})"


def _local_order(text: str, form: str) -> str:
    """Read 31.12.2020, 31/12/2020 or 31-12-2020 (or month first); also 12/2020 and times behind."""
    whole = r"'^([0-9]{1,2})[./-]([0-9]{1,2})[./-]([0-9]{4})([T ].*)?$'"
    month_year = r"'^([0-9]{1,2})[./-]([0-9]{4})$'"
    day, month = (1, 2) if form == "dmy" else (2, 1)

    def part(pattern: str, group: int) -> str:
        return f"lpad(regexp_extract({text}, {pattern}, {group}), 2, '0')"

    year, short_year = (
        f"regexp_extract({text}, {pattern}, {group})"
        for pattern, group in ((whole, 3), (month_year, 2))
    )
    return (
        f"CASE WHEN regexp_matches({text}, {whole}) THEN "
        f"{year} || '-' || {part(whole, month)} || '-' || {part(whole, day)} "
        f"WHEN regexp_matches({text}, {month_year}) THEN "
        f"{short_year} || '-' || {part(month_year, 1)} ELSE {text} END"
    )


def _local(text: str, time_zone: str) -> str:
    """Return the calendar day that a time with an offset has in a time zone."""
    zone = "'" + time_zone.replace("'", "''") + "'"
    return (
        f"CASE WHEN regexp_full_match({text}, {_ZONED}) THEN coalesce(strftime("
        f"try_cast({text} AS TIMESTAMPTZ) AT TIME ZONE {zone}, '%Y-%m-%d'), {text}) "
        f"ELSE {text} END"
    )


def of_parts(year: str, month: str, day: str) -> str:
    """Return a date from its year, month and day; without a day a month, without both a year."""
    return (
        f"CASE WHEN {year} IS NULL THEN NULL WHEN {month} IS NULL THEN {year} "
        f"WHEN {day} IS NULL THEN {year} || '-' || lpad({month}, 2, '0') "
        f"ELSE {year} || '-' || lpad({month}, 2, '0') || '-' || lpad({day}, 2, '0') END"
    )


def completed(text: str, rest: str) -> str:
    """Return a year with the month and day of `rest` (`07-01`), or a month with its day (`15`)."""
    missing = "'[0-9]{4}'" if "-" in rest else "'[0-9]{4}-[0-9]{2}'"
    return (
        f"CASE WHEN regexp_full_match({text}, {missing}) THEN {text} || '-{rest}' ELSE {text} END"
    )


def shifted(start: str, days: str) -> str:
    """Return the date so many days after `start`; what cannot be counted stays to be set aside."""
    number = f"try_cast({days} AS DOUBLE)"
    whole = f"{number} = floor({number}) AND abs({number}) < 100000"
    day = f"try_cast({start} AS DATE)"
    return (
        f"CASE WHEN {days} IS NULL THEN NULL WHEN {day} IS NOT NULL AND {whole} THEN "
        f"strftime({day} + CAST({number} AS INTEGER), '%Y-%m-%d') "
        f"ELSE coalesce({start}, '?') || ' + ' || {days} || ' days' END"
    )
