"""A REDCap record export (CSV, raw) read with its data dictionary, which lies beside it.

A record is a row: a form of an event, or an instance of a repeating one. An unchecked box means no
only where its form is complete and the box was shown; otherwise the cell is empty. What the
dictionary calls an identifier is no column, but for the field of the record's name and those that
`options.keep` lists (with spaces between).
"""

import csv
from collections.abc import Iterator
from dataclasses import dataclass, replace

import polars as pl

from flows.errors import NightRefused
from flows.intake.sources.delimited import read_delimited
from flows.intake.sources.given import Given
from flows.intake.sources.redcap_logic import NotRead, shown
from flows.intake.sources.words import plural
from transforms.mapping.sources import TEXT

HIDDEN = " (hidden by branching logic)"
"""What is added to a checked box that was not shown: no code covers it."""

_HEADINGS = {
    "field": "variable",
    "form": "form name",
    "type": "field type",
    "identifier": "identifier",
    "logic": "branching logic",
}
_COMPLETE = ("2", "complete")
_LARGEST = 1 << 26


@dataclass(frozen=True)
class Field:
    """A field of the dictionary."""

    name: str
    form: str
    type: str
    is_identifier: bool
    logic: str


def read_redcap(file: Given) -> Iterator[pl.DataFrame]:
    """Yield the rows of a record export; `options.dictionary` names the dictionary's file.

    Raises NightRefused.
    """
    file.refuse_options("dictionary", "keep")
    fields = _dictionary(file)
    kept = {fields[0].name, *str(file.source.options.get("keep", "")).split()}
    plain = replace(file, source=file.source.model_copy(update={"options": {}, "format": "csv"}))
    counts = {"unfinished": 0, "unsure": 0}
    said: set[str] = set()
    for batch in read_delimited(plain):
        if fields[0].name not in batch.columns:
            raise NightRefused(
                f"{file.name}: no column {fields[0].name}, the dictionary's first field; export "
                f"raw data, with the names of the fields as headings"
            )
        _refuse_unknown(file, batch, fields)
        identifiers = _identifiers(batch, fields, kept)
        said |= set(identifiers)
        # The text of a row that cannot be read may have identifiers.
        nothing = pl.lit(None, dtype=pl.String).alias(TEXT)
        yield _answered(batch, fields, counts).drop(identifiers).with_columns(nothing)
    _tell(file, said, counts)


def _dictionary(file: Given) -> list[Field]:
    """Return the fields of the dictionary. Raises NightRefused."""
    name = str(file.source.options.get("dictionary", ""))
    if not name or "/" in name or "\\" in name or name.startswith("."):
        raise NightRefused(
            f"{file.name}: options.dictionary: name the data dictionary that lies beside it"
        )
    path = file.path.parent / name
    try:
        if path.stat().st_size > _LARGEST:
            raise NightRefused(f"{name}: larger than a data dictionary is")
        text = path.read_text("utf-8-sig")
        rows = list(csv.reader(text.splitlines(keepends=True)))
    except (OSError, UnicodeError, csv.Error) as error:
        raise NightRefused(f"{name}: not read as a dictionary ({type(error).__name__})") from None
    heads = [head.strip().casefold() for head in rows[0]] if rows else []
    at = {
        what: next((n for n, head in enumerate(heads) if head.startswith(begins)), None)
        for what, begins in _HEADINGS.items()
    }
    if missing := [_HEADINGS[what] for what, column in at.items() if column is None]:
        raise NightRefused(f"{name}: no column {', '.join(missing)}; download it again as CSV")
    places = {what: column for what, column in at.items() if column is not None}
    if damaged := next((n for n, row in enumerate(rows, 1) if len(row) != len(heads)), None):
        raise NightRefused(
            f"{name}: record {damaged} has not as many cells as there are headings; "
            f"download the dictionary again"
        )
    fields = [
        Field(
            row[places["field"]].strip(),
            row[places["form"]].strip(),
            row[places["type"]].strip(),
            row[places["identifier"]].strip().lower() == "y",
            row[places["logic"]].strip(),
        )
        for row in rows[1:]
    ]
    if not fields:
        raise NightRefused(f"{name}: no field in it; download it again as CSV")
    return fields


def _refuse_unknown(file: Given, batch: pl.DataFrame, fields: list[Field]) -> None:
    """Raise NightRefused for columns that no field is: whether they name patients is unknown."""
    known = {field.name for field in fields}
    forms = {f"{field.form}_complete" for field in fields}
    unknown = [
        column
        for column in batch.columns
        if not column.startswith(("redcap_", "_"))
        and column not in forms
        and column.partition("___")[0] not in known
    ]
    if unknown:
        raise NightRefused(
            f"{file.name}: {plural(len(unknown), 'column')} of no field in the dictionary, the "
            f"first is {unknown[0]}; download the dictionary anew beside the records"
        )


def _identifiers(batch: pl.DataFrame, fields: list[Field], kept: set[str]) -> list[str]:
    """Return the columns that are identifiers and not kept."""
    names = {field.name for field in fields if field.is_identifier} - kept
    return [column for column in batch.columns if column.partition("___")[0] in names]


def _answered(batch: pl.DataFrame, fields: list[Field], counts: dict[str, int]) -> pl.DataFrame:
    """Return the rows in which an unchecked box means no, or is empty."""
    of_field = {field.name: field for field in fields}
    changed: list[pl.Expr] = []
    for column in batch.columns:
        field = of_field.get(column.partition("___")[0])
        if field is None or field.type != "checkbox" or "___" not in column:
            continue
        text = pl.col(column).str.strip_chars().str.to_lowercase()
        text = text.replace({"checked": "1", "unchecked": "0"})
        done, visible = _is_complete(batch, field), _was_shown(batch, field, of_field)
        unchecked = text == "0"
        counts["unfinished"] += _count(batch, unchecked & ~done)
        counts["unsure"] += _count(batch, unchecked & done & ~visible.fill_null(value=False))
        changed.append(
            pl.when(unchecked & ~(done & visible.fill_null(value=False)))
            .then(None)
            .when((text == "1") & ~visible.fill_null(value=True))
            .then(text + HIDDEN)
            .otherwise(text)
            .alias(column)
        )
    return batch.with_columns(changed)


def _is_complete(batch: pl.DataFrame, field: Field) -> pl.Expr:
    status = f"{field.form}_complete"
    if status not in batch.columns:
        return pl.lit(False)
    text = pl.col(status).str.strip_chars().str.to_lowercase()
    return text.is_in(_COMPLETE).fill_null(value=False)


def _was_shown(batch: pl.DataFrame, field: Field, of_field: dict[str, Field]) -> pl.Expr:
    """Return whether the field was shown; null where that cannot be told from the row."""
    if not field.logic:
        return pl.lit(True)

    def column(name: str) -> str | None:
        other = of_field.get(name.partition("___")[0])
        is_here = other is not None and other.form == field.form and name in batch.columns
        return name if is_here else None

    try:
        return shown(field.logic, column)
    except NotRead:
        return pl.lit(None, dtype=pl.Boolean)


def _count(batch: pl.DataFrame, which: pl.Expr) -> int:
    return int(batch.select(which.fill_null(value=False).sum()).item())


def _tell(file: Given, said: set[str], counts: dict[str, int]) -> None:
    if said:
        file.tell(f"{plural(len(said), 'column')} of identifiers by the dictionary: not read")
    if counts["unfinished"]:
        count = plural(counts["unfinished"], "unchecked box", "unchecked boxes")
        file.tell(f"{count} on forms that are not complete: unknown, not no")
    if counts["unsure"]:
        count = plural(counts["unsure"], "unchecked box", "unchecked boxes")
        file.tell(f"{count} that were not, or perhaps not, shown: unknown, not no")
