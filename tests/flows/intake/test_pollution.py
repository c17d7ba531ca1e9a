"""No kind of damage loses a clean row without a count, or changes its neighbour."""

import os
import re
from pathlib import Path

import polars as pl
import pytest

from flows.errors import NightRefused
from flows.intake.export import SourceFile
from flows.intake.lines import Lines
from flows.intake.rows import Irregular, batches
from flows.settings import Settings
from flows.synth import synthesise
from schemas.registry import TABLES
from tests.flows.intake.pollution import READ, REFUSED, Polluted, pollutions
from transforms.reading.mapping import Mapping

_ROWS = 9
_SETTINGS = Settings(batch_rows=4)


def read(path: Path, table: str, *, careful: bool = False) -> tuple[pl.DataFrame, Lines]:
    """Read a file as a night does."""
    lines = Lines()
    file = SourceFile(table, path, "", path.stat().st_size)
    try:
        parts = batches(file, Mapping(), path.parent, _SETTINGS, careful=careful, lines=lines)
        found = list(parts)
        return (pl.concat(found) if found else _no_rows(table)), lines
    except Irregular:
        return read(path, table, careful=True)


def _no_rows(table: str) -> pl.DataFrame:
    return pl.DataFrame(schema=dict.fromkeys([*TABLES[table].columns, "unreadable"], pl.String))


def clean_rows(table: str) -> pl.DataFrame:
    registry = synthesise(60, 3, 0)
    if table not in registry.tables:
        columns = TABLES[table].columns
        rows = [[f"P{at}", "2026-06-01", *["x"] * (len(columns) - 2)] for at in range(_ROWS)]
        return pl.DataFrame(rows, schema=list(columns), orient="row")
    rows = registry.tables[table].with_columns(pl.all().cast(pl.String)).fill_null("")
    return rows.select(TABLES[table].columns).head(_ROWS)


# Reading asks no table what it is of: one with many columns, one with few.
@pytest.mark.parametrize("table", os.environ.get("THYRISK_POLLUTED", "events").split())
def test_no_damage_loses_a_clean_row_or_changes_its_neighbour(tmp_path: Path, table: str) -> None:
    clean = clean_rows(table)
    assert clean.height == _ROWS
    path = tmp_path / f"{table}.csv"
    for polluted in pollutions(clean.columns, [list(row) for row in clean.rows()]):
        path.write_bytes(polluted.content)
        try:
            rows, lines = read(path, table)
        except NightRefused as refusal:
            assert polluted.ends == REFUSED, f"{polluted.kind}: {refusal}"
            judge_message(str(refusal), clean, path.name)
        else:
            assert polluted.ends == READ, polluted.kind
            judge(polluted, rows, lines, clean)


def judge_message(said: str, clean: pl.DataFrame, name: str) -> None:
    """Check that a refusal names the file, says what to do, and quotes no cell."""
    assert said.startswith(f"{name}: "), said
    assert said.isprintable(), said
    assert re.search(r"[;.] .*(export|remove|give|say|header)", said), said
    assert not any(cell in said for cell in clean.to_series(0)), said


def judge(polluted: Polluted, rows: pl.DataFrame, lines: Lines, clean: pl.DataFrame) -> None:
    """Check that each row that was not touched is there once, as it was, and no other is new."""
    ends = re.findall(rb"\r\n|\r|\n", polluted.content)
    unended = not polluted.content.endswith((b"\r", b"\n"))
    assert lines.total == len(ends) + unended, polluted.kind
    assert lines.rows == rows.height, polluted.kind
    assert lines.total == lines.header + lines.rows + lines.inside + lines.blank, polluted.kind
    whole = rows.filter(pl.col("unreadable").is_null()).select(clean.columns).fill_null("")
    found = [tuple(cell.strip() for cell in row) for row in whole.rows()]
    for at, row in enumerate(clean.rows()):
        if at not in polluted.touched:
            assert found.count(row) == 1, f"{polluted.kind}: row {at} {found.count(row)} times"
            found.remove(row)
    assert len(found) <= len(polluted.touched), f"{polluted.kind}: {found}"
    reasons = rows["unreadable"].drop_nulls()
    assert reasons.str.starts_with("row: ").all(), polluted.kind
