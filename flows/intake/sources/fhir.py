"""FHIR R4 as bulk export writes it: NDJSON, a resource in each line; `part` is its type.

RECORD is the line. What becomes of a resource by its status, and whose it is, is for the mapping to
say: nothing is left out here but resources of other types. A time stays as it is written; its
calendar day is that of the source's `time_zone`. Values in UCUM are in the contract's units. With
`options.codes` (with spaces between) only resources are read whose `code` has one of these.
"""

from collections.abc import Iterator

import duckdb
import polars as pl

from flows.errors import NightRefused
from flows.intake.sources.fhir_resources import RESOURCES, SYSTEMS, Element
from flows.intake.sources.given import Given
from flows.intake.sources.words import plural
from transforms.mapping.cells import literal
from transforms.mapping.cells import name as quoted
from transforms.mapping.sources import BAD, RECORD, TEXT
from transforms.reading.ucum import ours

UCUM = "http://unitsofmeasure.org"
_NUL = "\x00"
_LOST = "\ufffd"
_CODINGS = '\'[{"system":"VARCHAR","code":"VARCHAR"}]\''
_LIST = "'[\"JSON\"]'"


def read_fhir(file: Given) -> Iterator[pl.DataFrame]:
    """Yield the resources of one type; a line that is no JSON object is a damaged record."""
    file.refuse_options("codes")
    kind = file.source.part or ""
    if kind not in RESOURCES:
        raise NightRefused(f"{file.name}: part {kind!r}: want one of {', '.join(RESOURCES)}")
    elements = RESOURCES[kind]
    others: dict[str, int] = {}
    uncoded = 0
    with duckdb.connect(config=_ALONE) as db:
        for lines in _batches(file):
            db.register("lines", lines.to_arrow())
            judged = pl.DataFrame(db.sql(_JUDGED).to_arrow_table())
            db.unregister("lines")
            is_other = pl.col("type").ne_missing(kind) & pl.col(BAD).is_null()
            for name, count in judged.filter(is_other)["type"].value_counts().iter_rows():
                others[name or "no type"] = others.get(name or "no type", 0) + count
            meant = judged.filter(~is_other)
            kept = meant.filter(pl.col(BAD).is_not_null() | _has_code(file))
            uncoded += meant.height - kept.height
            db.register("judged", kept.to_arrow())
            found = pl.DataFrame(db.sql(_flattened(elements)).to_arrow_table())
            db.unregister("judged")
            yield _with_units(found, elements).with_columns(pl.col(RECORD).cast(pl.UInt32))
    _tell(file, kind, others)
    if uncoded:
        file.tell(f"{plural(uncoded, 'resource')} of {kind} with other codes not read here")


_ALONE: dict[str, str | bool | int | float | list[str]] = {
    "enable_external_access": "false",
    "autoload_known_extensions": "false",
    "autoinstall_known_extensions": "false",
    "threads": "1",
}

_JUDGED = f"""
SELECT {RECORD}, CASE WHEN {BAD} IS NULL THEN
    json_extract_string(line, '$.code.coding[*].code') END AS codes,
  CASE WHEN {BAD} IS NULL THEN line END AS line,
  CASE WHEN {BAD} IS NULL THEN json_extract_string(line, '$.resourceType') END AS type, {BAD},
  CASE WHEN {BAD} IS NOT NULL THEN line END AS {TEXT}
FROM (
  SELECT *, CASE WHEN contains(line, '{_LOST}') THEN 'record: not UTF-8'
    WHEN NOT json_valid(line) THEN 'record: not whole JSON'
    WHEN json_type(line) <> 'OBJECT' THEN 'record: no JSON object' END AS {BAD}
  FROM lines)
ORDER BY {RECORD}"""


def _has_code(file: Given) -> pl.Expr:
    """Say of a resource whether it has one of the codes that the source names, if it names any."""
    wanted = str(file.source.options.get("codes", "")).split()
    if not wanted:
        return pl.lit(True)
    return pl.col("codes").list.eval(pl.element().is_in(wanted)).list.any().fill_null(False)


def _batches(file: Given) -> Iterator[pl.DataFrame]:
    """Yield the lines that are not blank, by their numbers."""
    if not file.path.stat().st_size:
        return
    text = pl.scan_csv(
        file.path,
        glob=False,
        separator=_NUL,
        quote_char=None,
        has_header=False,
        encoding="utf8-lossy",
        schema={"line": pl.String},
        truncate_ragged_lines=True,
        row_index_name=RECORD,
        row_index_offset=1,
    )
    lines = file.lines
    for batch in text.collect_batches(chunk_size=file.settings.batch_rows, maintain_order=True):
        filled = batch.with_columns(pl.col("line").str.strip_chars()).filter(
            pl.col("line").fill_null("") != ""
        )
        lines.total += batch.height
        lines.rows += filled.height
        lines.blank += batch.height - filled.height
        yield filled


def _flattened(elements: tuple[Element, ...]) -> str:
    """Return the SELECT of the columns of resources: each JSON is read once."""
    paths: list[str] = list(dict.fromkeys(path for one in elements for path in _paths(one)))
    paths += ["$.modifierExtension", "$.implicitRules"]
    at = {path: f"x[{number}]" for number, path in enumerate(paths, 1)}
    columns = [column for one in elements for column in _columns(one, at)]
    listed = ", ".join(map(literal, paths))
    modified = f"{at['$.modifierExtension']} IS NOT NULL OR {at['$.implicitRules']} IS NOT NULL"
    return (
        f"SELECT {', '.join(columns)}, CASE WHEN {modified} THEN 'yes' END AS modified, "
        f"{RECORD}, {BAD}, {TEXT}\n"
        f"FROM (SELECT *, json_extract(line, [{listed}]) AS x FROM judged) ORDER BY {RECORD}"
    )


def _paths(element: Element) -> tuple[str, ...]:
    if element.extension:
        return ("$.extension",)
    return ("$.component",) if element.component else element.paths


def _columns(element: Element, at: dict[str, str]) -> Iterator[str]:
    """Yield the columns of an element, each `expression AS name`."""
    found = [at[path] for path in _paths(element)]
    value = found[0]
    if element.extension:
        url = f"(e->>'$.url') = {literal(element.extension)}"
        value = f"{_first(value, 'e', url)}->{literal(element.paths[0])}"
    elif element.component:
        codes = "json_extract_string(e, '$.code.coding[*].code')"
        held = f"list_contains({codes}, {literal(element.component)})"
        value = f"{_first(value, 'e', held)}->{literal(element.paths[0])}"
    elif element.kind == "contained":
        named = f"'#' || (e->>'$.id') = ({found[1]}->>'$')"
        value = f"{_first(found[0], 'e', named)}->'$.code'"
    elif len(found) > 1:
        value = f"coalesce({', '.join(found)})"
    yield from _of_kind(element, f"({value})")


def _first(values: str, name: str, condition: str) -> str:
    """Return the first item of a JSON list for which a condition holds."""
    return f"(list_filter(json_transform({values}, {_LIST}), lambda {name}: {condition})[1])"


def _of_kind(element: Element, value: str) -> Iterator[str]:
    name = element.column
    match element.kind:
        case "concept" | "contained":
            codings = f"json_transform({value}->'$.coding', {_CODINGS})"
            every = ", ".join(literal(url) for urls in SYSTEMS.values() for url in urls)
            for column, urls in SYSTEMS.items():
                which = f"c.system IN ({', '.join(map(literal, urls))})"
                yield f"{_joined(codings, which, 'c.code')} AS {quoted(f'{name}_{column}')}"
            other = f"c.system IS NULL OR c.system NOT IN ({every})"
            both = "concat_ws('|', c.system, c.code)"
            yield f"{_joined(codings, other, both)} AS {quoted(f'{name}_other')}"
            yield f"{value}->>'$.text' AS {quoted(f'{name}_text')}"
        case "codes":
            codings = f"json_transform(coalesce({value}->'$.coding', {value}), {_CODINGS})"
            yield f"{_joined(codings, 'true', 'c.code')} AS {quoted(name)}"
        case "quantity":
            for part in ("value", "comparator"):
                yield f"{value}->>'$.{part}' AS {quoted(f'{name}_{part}')}"
            yield f"coalesce({value}->>'$.code', {value}->>'$.unit') AS {quoted(f'{name}_unit')}"
            yield f"{value}->>'$.system' AS {quoted(f'{name}_system')}"
        case "patient":
            reference = f"({value}->>'$')"
            yield f"{_id(reference)} AS {quoted(name)}"
        case "named":
            reference = f"({value}->>'$')"
            yield f"{_id(reference, '[A-Z][A-Za-z]+')} AS {quoted(name)}"
        case "replaced":
            links = f"json_transform({value}, {_LIST})"
            one = f"list_filter({links}, lambda l: (l->>'$.type') = 'replaced-by')[1]"
            reference = f"({one}->>'$.other.reference')"
            yield f"{_id(reference)} AS {quoted(name)}"
        case _:
            yield f"{value}->>'$' AS {quoted(name)}"


def _joined(codings: str, which: str, what: str) -> str:
    """Return the codes of codings that are asked for, each once, with | between them."""
    kept = f"list_transform(list_filter({codings}, lambda c: {which}), lambda c: {what})"
    return f"nullif(array_to_string(list_sort(list_distinct({kept})), '|'), '')"


def _id(reference: str, kind: str = "Patient") -> str:
    """Return the id that a reference names: relative, absolute, with a version, or urn:uuid."""
    return (
        f"coalesce(nullif(regexp_extract({reference}, '(?:^|/){kind}/([^/|#?]+)', 1), ''), "
        f"nullif(regexp_extract({reference}, '^urn:uuid:(.+)$', 1), ''))"
    )


def _with_units(found: pl.DataFrame, elements: tuple[Element, ...]) -> pl.DataFrame:
    """Give each value that has a unit in UCUM the contract's unit; others stay as they are."""
    for name in (one.column for one in elements if one.kind == "quantity"):
        value, unit, system = (f"{name}_{part}" for part in ("value", "unit", "system"))
        is_ucum = pl.col(system) == UCUM
        units = found.filter(is_ucum)[unit].drop_nulls().unique().to_list()
        known = {text: made for text in units if (made := ours(text))}
        factors = {text: float(factor) for text, (_, factor) in known.items() if factor != 1}
        named = {text: ours_name for text, (ours_name, _) in known.items()}
        factor = pl.col(unit).replace_strict(factors, default=None, return_dtype=pl.Float64)
        scaled = (pl.col(value).cast(pl.Float64, strict=False) * factor).round(9)
        found = found.with_columns(
            pl.when(is_ucum & factor.is_not_null())
            .then(pl.coalesce(scaled.cast(pl.String), value))
            .otherwise(value)
            .alias(value),
            pl.when(is_ucum).then(pl.col(unit).replace(named)).otherwise(unit).alias(unit),
        ).drop(system)
    return found


def _tell(file: Given, kind: str, others: dict[str, int]) -> None:
    for name, count in sorted(others.items()):
        shown = name if name.isalpha() and len(name) < 40 else "unknown type"
        said = f"{plural(count, 'resource')} of {shown} not read as {kind}"
        if name == "Bundle":
            said += ": take the resources out of their bundles, one in each line"
        if name == "MedicationRequest":
            said += ": an order is no administration"
        file.tell(said)
