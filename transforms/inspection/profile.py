"""What a column holds: its kind, with the evidence, and nothing that could name a patient.

A profile is made from the distinct values of a column with their counts, so it is the same
whatever the order of the records. Values are told only of code lists, and there only words that
are known in medicine (`words/values.toml`) or that enough patients have; of numbers and dates the
range, of identifiers, names and texts nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import polars as pl

from transforms.inspection import forms as f
from transforms.inspection.kinds import MOST_CODES, Kind, is_measured, kind_of, without_compact
from transforms.inspection.vocabulary import unit_text, vocabulary

COUNTS = {"value": pl.String, "n": pl.UInt32}

_FEWEST = 5
"""Of fewer distinct values no range is told."""


@dataclass(frozen=True)
class Counted:
    """Something that cells say, and how many of them."""

    text: str
    cells: int | None
    """None: fewer than may be told."""


@dataclass(frozen=True)
class Profile:
    """What one column holds. `forms` counts every record once."""

    name: str
    labels: tuple[str, ...]
    """What the other header lines say above it."""
    records: int
    forms: Mapping[str, int]
    distinct: int
    """Distinct values, without nulls."""
    kind: Kind
    is_key: bool
    """Whether each record has one, and none has another's."""
    convention: str = ""
    """How its dates or decimals are written, in words of a mapping: iso, dmy, mdy, ymd, excel."""
    doubt: str = ""
    """What the column alone cannot tell."""
    nulls: tuple[Counted, ...] = ()
    odd: tuple[Counted, ...] = ()
    """Numbers and days that may stand for unknown."""
    units: tuple[Counted, ...] = ()
    """Units as written behind numbers."""
    unit_in_name: str = ""
    codes: tuple[Counted, ...] = ()
    hidden: int = 0
    """Distinct values of a code list that are not told."""
    low: str = ""
    high: str = ""
    values: pl.DataFrame = field(
        default_factory=lambda: pl.DataFrame(schema=COUNTS), repr=False, compare=False
    )
    """The values of a code list with their counts. Never shown as they are."""

    @property
    def filled(self) -> int:
        """Cells that say something."""
        return self.records - self.forms.get(f.EMPTY, 0) - self.forms.get(f.NULL, 0)

    @property
    def share_empty(self) -> float:
        """The share of the records in which it says nothing."""
        return 1 - self.filled / self.records if self.records else 1.0

    def share(self, *forms: str) -> float:
        """Return the share of the filled cells that have one of some forms."""
        return sum(self.forms.get(form, 0) for form in forms) / self.filled if self.filled else 0.0


def profile(name: str, counts: pl.DataFrame, labels: tuple[str, ...] = ()) -> Profile:
    """Profile a column from its distinct values: one row each, value (null: no cell) and n."""
    formed = f.with_forms(counts)
    by_form = {
        str(form): int(n)
        for form, n in formed.group_by("form").agg(pl.col("n").sum()).sort("form").iter_rows()
    }
    filled = formed.filter(~pl.col("form").is_in((f.EMPTY, f.NULL)))
    records, cells = int(counts["n"].sum()), int(filled["n"].sum())
    by_form = without_compact(by_form)
    kind, convention, doubt = kind_of(name, labels, filled, by_form, cells)
    is_coded = kind in ("code", "mixed") and filled.height <= MOST_CODES
    odd = _odd(kind, filled)
    usual = filled.filter(~pl.col("value").is_in([one.text for one in odd])) if odd else filled
    low, high = _range(kind, convention, usual)
    return Profile(
        name=name,
        labels=labels,
        records=records,
        forms=by_form,
        distinct=filled.height,
        kind=kind,
        is_key=0 < records == cells == filled.height
        and kind not in ("date", "days")
        and not is_measured(by_form, cells),
        convention=convention,
        doubt=doubt,
        nulls=_counted(formed.filter(pl.col("form") == f.NULL)),
        odd=odd,
        units=_units(filled),
        unit_in_name=unit_in(name) or next((u for at in labels if (u := unit_in(at))), ""),
        hidden=filled.height if is_coded else 0,
        low=low,
        high=high,
        values=_values(filled) if is_coded else _NO_VALUES,
    )


_NO_VALUES = pl.DataFrame(schema=COUNTS)


def _values(filled: pl.DataFrame) -> pl.DataFrame:
    return filled.select("value", pl.col("n").cast(pl.UInt32)).sort("value")


def _range(kind: str, convention: str, filled: pl.DataFrame) -> tuple[str, str]:
    """Return the lowest and highest number, or year of a date; of a few values nothing."""
    if filled.height < _FEWEST:
        return "", ""
    if kind in ("number", "days"):
        text = pl.col("value").str.replace(",", ".", literal=True)
        number = text.cast(pl.Float64, strict=False)
        plain = filled.filter(pl.col("form").is_in(f.NUMBERS))
        low, high = plain.select(low=number.min(), high=number.max()).row(0)
        return ("", "") if low is None else (f"{low:.12g}", f"{high:.12g}")
    if kind == "date" and convention != "excel":
        years = filled.select(_year(convention).alias("year"))["year"].drop_nulls()
        return (str(years.min()), str(years.max())) if years.len() else ("", "")
    return "", ""


def _year(convention: str) -> pl.Expr:
    text = pl.col("value")
    if convention == "year":
        return text
    iso = text.str.extract(r"^(\d{4})[-/.年]?\d{1,2}", 1)
    return pl.coalesce(iso, text.str.extract(r"[./-](\d{4})(?:\D|$)", 1))


def _odd(kind: str, filled: pl.DataFrame) -> tuple[Counted, ...]:
    """Return the numbers and days that often stand for unknown and lie at the end of the range."""
    words = vocabulary()
    if kind == "date":
        return _counted(filled.filter(pl.col("value").is_in(tuple(words.odd_days))))
    if kind not in ("number", "days"):
        return ()
    number = pl.col("value").cast(pl.Float64, strict=False)
    is_end = (number == number.max()) | (number == number.min())
    return _counted(filled.filter(pl.col("value").is_in(tuple(words.odd_numbers)) & is_end))


def _units(filled: pl.DataFrame) -> tuple[Counted, ...]:
    known = filled.filter(
        pl.col("unit").str.to_lowercase().str.replace_all(r"\s", "").is_in(vocabulary().unit_texts)
    )
    return _counted(known.select(value="unit", n="n"))


def unit_in(name: str) -> str:
    """Return the unit that a column's name says, as it is written there.

    >>> unit_in("Aktivität [MBq]"), unit_in("dose_mCi"), unit_in("TSH (mIU/L)"), unit_in("comment")
    ('MBq', 'mCi', 'mIU/L', '')
    """
    for text in pl.Series([name]).str.extract_all(r"[\p{L}µμ\[\]]+(?:\s?[/_]\s?[\p{L}]+)?")[0]:
        for said in (text, *text.split("_")):
            bare = said.strip("[]_").replace("_", "/")
            if unit_text(bare) in vocabulary().units:
                return str(bare)
    return ""


def _counted(found: pl.DataFrame) -> tuple[Counted, ...]:
    summed = found.group_by("value").agg(pl.col("n").sum())
    summed = summed.sort(["n", "value"], descending=[True, False])
    return tuple(Counted(str(value), int(n)) for value, n in summed.iter_rows())
