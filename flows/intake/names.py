"""Which table a file is named after, and which it was probably meant for."""

import re
from collections.abc import Iterable

from schemas.registry import TABLES

SUFFIXES = (".csv", ".csv.gz", ".tsv", ".tsv.gz", ".parquet")
_TEXT = (".txt", ".dat", ".asc", ".tab", ".text")
_PACKED = (".zip", ".bz2", ".xz", ".zst", ".7z", ".rar", ".tar", ".tgz")


def table_of(name: str) -> str | None:
    """Return the table that a file name stands for: `labs.csv`, or in parts, `labs-2024.csv`."""
    suffix = _suffix(name)
    if suffix is None:
        return None
    stem = name[: -len(suffix)]
    return next((t for t in TABLES if stem == t or stem.startswith(f"{t}-")), None)


def meant(name: str, tables: Iterable[str] = tuple(TABLES)) -> str | None:
    """Return what to do about a name that is almost that of a table; None for any other name."""
    plain = name.casefold().lstrip("._~$- ")
    table = next((table for table in tables if _begins_with(plain, table)), None)
    if table is None or table_of(name):
        return None
    stem, dot, _ = plain.partition(".")
    suffix = _suffix(plain)
    if suffix is None and dot and not plain.endswith(_TEXT):
        todo = "unpack it to" if plain.endswith(_PACKED) else "export the table as"
        return f"{todo} {_proper(stem, table)}.csv if it holds rows"
    if suffix:
        stem = plain.removesuffix(suffix)
    return f"did you mean {_proper(stem, table)}{suffix or '.csv'}?"


def _suffix(name: str) -> str | None:
    return next((s for s in sorted(SUFFIXES, key=len, reverse=True) if name.endswith(s)), None)


def _begins_with(name: str, table: str) -> bool:
    return re.match(rf"{table}|{table.removesuffix('s')}(?![a-z])", name) is not None


def _proper(stem: str, table: str) -> str:
    """Return the name of a table's file, with what else its stem says as the name of a part."""
    rest = stem.removeprefix(table) if stem.startswith(table) else stem.removeprefix(table[:-1])
    part = re.sub(r"[^a-z0-9]+", "-", rest).strip("-")
    return f"{table}-{part}" if part else table
