"""The files of a hospital as they are: which they are, and how each one reads.

A source is one kind of file. Its records become a table of text: the source's own columns, and
beside them RECORD, FILE and, of a record that cannot be read, BAD and TEXT.
"""

import codecs
import re
from typing import Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    field_validator,
    model_serializer,
    model_validator,
)

RECORD = "_record"
"""By what a person finds a record in its file: the line where it begins, or its row or number."""
FILE = "_file"
"""The name of the record's file."""
BAD = "_bad"
"""Why a record cannot be read; null where it can."""
TEXT = "_text"
"""The text of a record that cannot be read."""
OF_A_RECORD = (RECORD, FILE, BAD, TEXT)

Format = Literal[
    "csv",
    "fixed",
    "parquet",
    "ndjson",
    "json",
    "duckdb",
    "sqlite",
    "xlsx",
    "xml",
    "naaccr",
    "fhir",
    "redcap",
]
"""csv is any delimited text, whatever its delimiter."""

DATE_FORMS = ("iso", "ymd", "dmy", "mdy", "excel")
"""Named forms of a date; any other is written with strptime's codes, as `%d %b %Y`."""


class Strict(BaseModel):
    """What is declared in a mapping file: no other keys, never changed."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, use_attribute_docstrings=True, populate_by_name=True
    )


class Said(Strict):
    """A declaration that is written down as it was made: without what was left unsaid."""

    @model_serializer(mode="wrap")
    def _as_said(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        written: dict[str, Any] = handler(self)
        return {name: said for name, said in written.items() if name in self.model_fields_set}


class Source(Said):
    """One kind of file of a hospital, and how it reads."""

    files: list[str]
    """Names of files in the folder of the export; `*` stands for any text (`visits-*.csv`)."""
    format: Format = "csv"
    """How the files are written; `csv` is text with any delimiter."""
    part: str | None = None
    """What of a file is meant: sheet, table, element, type of resource, or path."""
    header: int | list[int] | None = None
    """The line of the column names, or several that are joined; 0: there is none. Default: the
    first line that is not blank."""
    names: list[str] = Field([])
    """The columns, in order, where the file does not name them."""
    fields: dict[str, tuple[int, int]] = Field({})
    """With `fixed`: column -> its first and last character, counted from 1."""
    skip: list[int] = Field([])
    """Lines that are no records, by number, as the second and third of three header lines."""
    null: list[str] = Field([])
    """What is written where nothing is known, as `NA` or `[Not Available]`: an empty cell."""
    encoding: str = "utf-8"
    """The encoding of text, as `latin-1`."""
    delimiter: str | None = None
    """What stands between two cells. Default: found in the header."""
    decimal: Literal[".", ","] = "."
    """The mark before the decimals of a number."""
    dates: str = "iso"
    """How dates are written: `iso`, `ymd`, `dmy`, `mdy`, `excel`, or as `%d %b %Y`."""
    time_zone: str | None = None
    """Whose calendar day a time with an offset is, as `Europe/Berlin`."""
    optional: bool = False
    """Whether a night may go on when no file is there."""
    options: dict[str, str | bool | int] = Field({})
    """What only this format knows; its page lists them."""

    @model_validator(mode="before")
    @classmethod
    def _one_file_is_a_list(cls, given: Any) -> Any:
        if isinstance(given, str):
            return {"files": [given]}
        if isinstance(given, dict) and isinstance(given.get("files"), str):
            return given | {"files": [given["files"]]}
        return given

    @field_validator("files")
    @classmethod
    def _inside_the_export(cls, files: list[str]) -> list[str]:
        for name in files:
            if not name.strip() or set(name) & {"/", "\\"}:
                raise ValueError(f"{name!r}: want the name of a file in the folder")
        if not files:
            raise ValueError("want at least one file")
        return files

    @field_validator("encoding")
    @classmethod
    def _encoding_is_known(cls, encoding: str) -> str:
        try:
            return codecs.lookup(encoding).name
        except LookupError:
            raise ValueError(f"{encoding!r}: no such encoding") from None

    @field_validator("delimiter")
    @classmethod
    def _is_one_character(cls, delimiter: str | None) -> str | None:
        if delimiter is not None and (len(delimiter) != 1 or delimiter in '"\r\n'):
            raise ValueError(f"{delimiter!r}: want one character that is no quote and no line end")
        return delimiter

    @field_validator("dates")
    @classmethod
    def _dates_are_known(cls, form: str) -> str:
        return known_date_form(form)

    @model_validator(mode="after")
    def _fits_its_format(self) -> "Source":
        if self.format == "fixed" and not self.fields:
            raise ValueError("format fixed wants `fields`: column -> [first, last] character")
        if self.fields and self.format != "fixed":
            raise ValueError("`fields` belongs to format fixed")
        if self.header == 0 and not self.names and self.format == "csv":
            raise ValueError("header = 0 wants `names`: the columns in their order")
        return self

    @property
    def header_lines(self) -> list[int]:
        """The lines of the column names; none where the first that is not blank has them."""
        given = self.header if isinstance(self.header, list) else [self.header or 0]
        return [line for line in given if line]


class Pattern(Said):
    """How a cell of free text is taken apart; the first of `match` that fits the whole cell."""

    match: list[str] = Field(min_length=1)
    """Regular expressions (RE2) for the whole cell, in which `{number}`, `{low}`, `{high}`,
    `{unit}` and `{comparator}` stand for what is taken; `(?P<name>...)` takes anything else."""
    units: dict[str, str] = Field({})
    """Unit as it is written -> unit of the contract; what `{unit}` stands for."""
    decimal: str | None = None
    """The mark before the decimals, both as `.,` where either is one. Default: the source's."""
    ignore_case: bool = True
    """Whether capitals and small letters are the same."""

    @field_validator("decimal")
    @classmethod
    def _is_a_mark(cls, decimal: str | None) -> str | None:
        if decimal not in (None, ".", ",", ".,"):
            raise ValueError("want `.`, `,` or `.,`")
        return decimal

    @model_validator(mode="after")
    def _can_be_compiled(self) -> "Pattern":
        for text in self.match:
            if "{unit}" in text and not self.units:
                raise ValueError("`{unit}` wants `units`: as written -> of the contract")
            try:
                expanded(self, text, ".")
            except re.error as error:
                raise ValueError(f"match {text!r}: no regular expression: {error}") from None
        return self

    @property
    def groups(self) -> frozenset[str]:
        """What can be taken from a cell."""
        return frozenset(g for text in self.match for g in expanded(self, text, ".").groupindex)


def expanded(pattern: Pattern, text: str, decimal: str) -> re.Pattern[str]:
    """Return one expression of a pattern with its placeholders filled in. Raises re.error."""
    marks = "".join(re.escape(mark) for mark in (pattern.decimal or decimal))
    number = rf"[0-9]+(?:[{marks}][0-9]+)?"
    units = "|".join(re.escape(unit) for unit in sorted(pattern.units, key=len, reverse=True))
    stands_for = {
        "number": number,
        "low": number,
        "high": number,
        "unit": units,
        "comparator": "<=|>=|<|>|=|≤|≥",
    }
    for name, what in stands_for.items():
        text = text.replace(f"{{{name}}}", f"(?P<{name}>{what})")
    return re.compile(text)


def known_date_form(form: str) -> str:
    """Return the form of a date. Raises ValueError when there is no such."""
    if form not in DATE_FORMS and "%" not in form:
        raise ValueError(f"{form!r}: want {', '.join(DATE_FORMS)}, or strptime's codes")
    return form
