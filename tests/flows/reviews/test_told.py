"""reviews.parquet: every review, with what its reviewer had before them."""

import shutil
from datetime import timedelta
from pathlib import Path

import polars as pl

from flows.outputs import Result
from tests.flows.reviews.conftest import KEY, Desk, listed
from tests.registry import AS_OF

DAY = timedelta(days=1)


def reviews(result: Result) -> pl.DataFrame:
    return pl.read_parquet(result.folder / "reviews.parquet", hive_partitioning=False)


def test_every_review_is_published_with_what_the_patient_was_listed_for(desk: Desk) -> None:
    desk.take(desk.file(f"A,{AS_OF}T08:30:00,MK,dismissed,data_error,,twice"))
    desk.registry.reviewed("B", AS_OF, "confirmed")
    second = desk.night(AS_OF + DAY)
    shown = reviews(second)
    assert shown.select("patient_id", "decision", "reason", "note", "source").rows() == [
        ("A", "dismissed", "data_error", "twice", "file"),
        ("B", "confirmed", None, None, "export"),
    ]
    assert shown["listed_for"].to_list() == ["flag", "not_listed"]
    assert shown["waiting_since"].to_list() == [AS_OF, None]
    shutil.rmtree(desk.out / f"run_date={AS_OF}")
    third = desk.night(AS_OF + 2 * DAY)
    assert reviews(third).equals(shown), "what was looked up outlasts the night that it was of"


def test_under_pseudonyms_no_note_is_published(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "out", KEY.encode())
    who = listed(desk.night(AS_OF))[0]
    desk.take(desk.file(f"{who},{AS_OF},MK,confirmed,,,Ada Lovelace again"))
    shown = reviews(desk.night(AS_OF + DAY))
    assert shown.select("patient_id", "note", "listed_for").rows() == [(who, None, "flag")]
