"""An inspection in words: for the terminal, for a page, and for programs."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from transforms.inspection.found import Inspection, Looked
from transforms.inspection.links import Group
from transforms.inspection.profile import Counted, Profile

_SHOWN = 12
_LINKS = 20
HIDDEN = (
    "Values of identifiers, names and texts are never told; of a code list, those that at least "
    "{smallest} patients have, and known words."
)


def kind_words(one: Profile) -> str:
    """Say what kind of column it is.

    >>> from transforms.inspection.profile import profile
    >>> import polars as pl
    >>> days = pl.DataFrame({"value": ["31.12.2014", "1.2.2015"], "n": [1, 1]})
    >>> kind_words(profile("OP-Datum", days))
    'date, dmy'
    """
    words = {
        "code": "code list",
        "days": "days from another day",
        "personal": "personal: leave it out",
    }
    kind = words.get(one.kind, one.kind)
    extra = [one.convention] if one.kind in ("date", "number") and one.convention else []
    return ", ".join([kind, *extra, *(["a key"] if one.is_key else [])])


def facts(one: Profile, smallest: int) -> Iterator[str]:
    """Say what is in a column: range, codes, units, spellings of unknown, doubts."""
    if one.low:
        yield f"{one.low} to {one.high}"
    if one.codes or one.hidden:
        told = [f"{c.text} {_cells(c, smallest)}" for c in one.codes[:_SHOWN]]
        more = len(one.codes) - _SHOWN
        told += [f"{more} more values"] if more > 0 else []
        told += [f"{one.hidden} values not told"] if one.hidden else []
        yield ", ".join(told)
    if compared := one.forms.get("compared"):
        yield f"{compared:,} cells have a comparator, as in <0.1"
    if one.unit_in_name:
        yield f"unit in its name: {one.unit_in_name}"
    if one.units:
        yield "units in cells: " + _listed(one.units, smallest)
    if one.nulls:
        yield "unknown is spelt " + _listed(one.nulls, smallest)
    if one.odd:
        yield "may mean unknown: " + _listed(one.odd, smallest)
    if one.labels:
        yield "also called " + "; ".join(one.labels)
    if one.doubt:
        yield f"? {one.doubt}"


def _cells(counted: Counted, smallest: int) -> str:
    return f"(fewer than {smallest})" if counted.cells is None else f"({counted.cells:,})"


def _listed(counted: tuple[Counted, ...], smallest: int) -> str:
    shown = ", ".join(f"{one.text} {_cells(one, smallest)}" for one in counted[:_SHOWN])
    return shown + (f", {len(counted) - _SHOWN} more" if len(counted) > _SHOWN else "")


def table_facts(looked: Looked) -> Iterator[str]:
    """Say what is known of a table as a whole."""
    if looked.sampled:
        yield f"sample: the first {looked.sampled:,} records alone were looked at"
    said = {name: value for name, value in looked.reading.items() if name not in ("files", "null")}
    yield "read with " + ", ".join(f"{name} {value!r}" for name, value in said.items())
    keys = [one.name for one in looked.columns if one.is_key and one.kind == "identifier"]
    if keys:
        yield f"likely keys: {', '.join(keys)}"
    if looked.patient:
        name, sure, why = looked.patient
        yield f"patients are likely identified by {name} ({sure:.2f}: {why})"
    yield from (f"repeated columns, to unpivot: {group_words(group)}" for group in looked.groups)
    yield from looked.remarks


def group_words(group: Group) -> str:
    """Say which columns repeat with which numbers."""
    return f"{', '.join(group.stems)} with n = {', '.join(group.numbers)}"


def link_words(inspection: Inspection) -> list[str]:
    """Say which columns of different files have values in common, the strongest first."""
    return [
        f"{link.one[0]}: {link.one[1]} and {link.other[0]}: {link.other[1]}: "
        f"{link.share_of_one:.0%} of the values of the first are in the second, "
        f"{link.share_of_other:.0%} the other way"
        for link in inspection.links[:_LINKS]
    ]


def show(inspection: Inspection, console: Console) -> None:
    """Print an inspection."""
    for looked in inspection.tables:
        title = f"{looked.label}: {looked.records:,} records, {len(looked.columns)} columns"
        table = Table("column", "kind", title=escape(title), title_justify="left")
        table.add_column("filled", justify="right")
        table.add_column("distinct", justify="right")
        table.add_column("what is in it")
        for one in looked.columns:
            table.add_row(
                escape(one.name),
                escape(kind_words(one)),
                f"{1 - one.share_empty:.0%}",
                f"{one.distinct:,}",
                escape("\n".join(facts(one, inspection.smallest))),
            )
        console.print(table)
        for fact in table_facts(looked):
            console.print(f"  {fact}", markup=False, highlight=False)
        console.print()
    for words in link_words(inspection):
        console.print(f"link: {words}", markup=False, highlight=False)
    for words in inspection.unread:
        console.print(f"not looked into: {words}", style="red", markup=False)
    hidden = HIDDEN.format(smallest=inspection.smallest)
    console.print(hidden, style="dim", markup=False)


def as_json(inspection: Inspection) -> dict[str, Any]:
    """Return an inspection for programs: what the terminal shows, in full."""
    return {
        "tables": [_table(looked) for looked in inspection.tables],
        "links": [asdict(link) for link in inspection.links],
        "not_looked_into": list(inspection.unread),
        "smallest_cell": inspection.smallest,
    }


def _table(looked: Looked) -> dict[str, Any]:
    patient = None
    if looked.patient:
        patient = dict(zip(("column", "confidence", "why"), looked.patient, strict=True))
    return {
        "file": looked.file,
        "part": looked.part or None,
        "records": looked.records,
        "sampled": looked.sampled,
        "reading": looked.reading,
        "patient": patient,
        "repeated": [asdict(group) for group in looked.groups],
        "remarks": list(looked.remarks),
        "columns": [_column(one) for one in looked.columns],
    }


def _column(one: Profile) -> dict[str, Any]:
    """Return a column. Its values stay here: only what may be told is in `codes`."""
    said = {name: value for name, value in vars(one).items() if name != "values"}
    counted = ("nulls", "odd", "units", "codes")
    said |= {name: [asdict(each) for each in said[name]] for name in counted}
    return said | {"labels": list(one.labels), "share_empty": round(one.share_empty, 4)}
