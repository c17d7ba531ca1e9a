"""Broken and hostile files end in quarantine or in a refusal that names them, all counted."""

import re
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flows.intake.export import SourceFile
from flows.intake.lines import Lines
from flows.intake.rows import batches
from flows.settings import Settings
from schemas.registry import TABLES
from tests.flows.conftest import RunNight
from tests.flows.intake.fuzzing import TOKENS, Fuzzer
from tests.registry import Registry
from transforms.reading.mapping import Mapping

# 12,000 for docs/promises.md: see `make promises`.
INPUTS = 40


@pytest.mark.parametrize("seed", range(2))
def test_damaged_files_are_counted_or_refused(tmp_path: Path, seed: int) -> None:
    fuzzer = Fuzzer(tmp_path, seed)
    ends = [fuzzer.one() for _ in range(INPUTS)]
    assert {"counted", "refused"} == set(ends)


tokens = st.sampled_from(TOKENS).map(lambda token: token.decode("latin-1"))
cells = st.one_of(st.text(max_size=20), tokens).filter(lambda cell: not re.search(r"[\r\n]", cell))
rows = st.lists(st.tuples(cells, cells, cells, cells), min_size=1, max_size=8)


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(rows=rows)
def test_any_text_in_any_cell_comes_in_as_it_is(
    tmp_path: Path, rows: list[tuple[str, ...]]
) -> None:
    columns = TABLES["surgeries"].columns
    path = tmp_path / "surgeries.csv"
    text = [",".join(columns), *(",".join(_quoted(cell) for cell in row) for row in rows)]
    path.write_bytes("\n".join(text).encode("utf-8", "surrogatepass") + b"\n")
    file, lines = SourceFile("surgeries", path, "", path.stat().st_size), Lines()
    read = pl.concat(batches(file, Mapping(), tmp_path, Settings(), lines=lines))
    assert read.height == len(rows) == lines.rows
    for row, found in zip(rows, read.iter_rows(named=True), strict=True):
        got = tuple(found[column] or None for column in columns)
        # What is no UTF-8, holds a NUL or is a header or total is kept as a line with its reason.
        assert found["unreadable"] or got == tuple(cell or None for cell in row)
        assert not found["unreadable"] or not any(got)


def _quoted(cell: str) -> str:
    return '"' + cell.replace('"', '""') + '"'


def test_a_row_of_empty_cells_is_quarantined_not_dropped(night: RunNight, tmp_path: Path) -> None:
    export = Registry().usual("A").write(tmp_path / "export")
    with (export / "surgeries.csv").open("a") as stream:
        stream.write(",,,\n\n")
    (file,) = (f for f in night(export).files if f.table == "surgeries")
    assert (file.rows_read, file.rows_loaded, file.rows_quarantined) == (2, 1, 1)


def test_markup_formulas_and_statements_in_cells_are_only_text(
    night: RunNight, tmp_path: Path
) -> None:
    hostile = '=HYPERLINK("x")<script>alert(1)</script>\'; DROP TABLE raw.labs_versions;--'
    registry = Registry().usual("A", 62).metastasis("A", "lung")
    registry.usual(hostile, 62).metastasis(hostile, "lung").pet(hostile, suv_max=9)
    result = night(registry.write(tmp_path / "export"))
    assert result.patients == 2
    work = pl.read_parquet(result.folder / "worklist.parquet", hive_partitioning=False)
    assert hostile in work["patient_id"]
    assert "'" + hostile in pl.read_csv(result.folder / "worklist.csv")["patient_id"]
    assert night(registry.write(tmp_path / "again")).patients == 2
