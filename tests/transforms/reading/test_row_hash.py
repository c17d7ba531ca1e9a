"""The identity of a row: what was received, whatever the columns around it."""

import polars as pl
import pytest

from transforms.reading.row_hash import with_row_hash

ROW = {"lab_id": "L1", "value": "7", "extra": None, "unreadable": None}


def hash_of(columns: tuple[str, ...] = ("lab_id", "value"), **cells: str | None) -> int:
    row = ROW | cells
    rows = pl.DataFrame([row], schema=dict.fromkeys(row, pl.String))
    return int(with_row_hash(rows, columns)["row_hash"][0])


@pytest.mark.parametrize(
    ("columns", "cells"),
    [
        (("lab_id", "value", "braf"), {"braf": None}),
        (("lab_id", "value", "braf"), {"braf": ""}),
        (("value", "lab_id"), {}),
        (("lab_id", "value"), {"extra": '{"ward":null}'}),
        (("lab_id",), {"extra": '{"value":"7"}'}),
    ],
)
def test_what_is_empty_and_where_a_cell_stands_changes_no_row(
    columns: tuple[str, ...], cells: dict[str, str | None]
) -> None:
    assert hash_of(columns, **cells) == hash_of()


@pytest.mark.parametrize(
    "cells",
    [
        {"value": "7.0"},
        {"lab_id": "7", "value": "L1"},
        {"value": None},
        {"extra": '{"ward":"3"}'},
        {"extra": '{"value":"7"}'},
        {"lab_id": None, "value": None, "extra": "L1,7,8", "unreadable": "3 fields"},
    ],
)
def test_every_cell_and_its_name_count(cells: dict[str, str | None]) -> None:
    assert hash_of(**cells) != hash_of()
