"""Surveillance from night to night: what is kept, compared, carried, and said."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import polars as pl
from pytest import approx

from tests.registry import Registry, days

THEN, NOW = date(2024, 5, 10), date(2026, 6, 30)
WATCH = {"minimum_events": 10}


def registry(died: int, until: date) -> Registry:
    """Sixty patients of Jin's cohort with two courses; the first so many died in time."""
    made = Registry()
    for number in range(60):
        name, dead = f"P{number:02}", number < died
        day = THEN + timedelta(30 + 10 * number)
        dates = {"death_date": day, "last_contact_date": day} if dead else {}
        made.usual(name, **({"last_contact_date": until} | dates))
        made.metastasis(name, "lung").ct(name).stg(name, 100 if number % 2 else 700)
        made.treated(name, days(200), "none" if number % 3 else "all")
    return made


def test_a_night_sets_what_an_earlier_one_predicted_beside_what_came(
    night: Any, out: Path, tmp_path: Path
):
    night(registry(0, THEN).write(tmp_path / "then"), as_of=THEN, surveillance=WATCH)
    result = night(registry(30, NOW).write(tmp_path / "now"), as_of=NOW, surveillance=WATCH)
    folder = out / f"run_date={NOW}"
    kept = pl.read_parquet(folder / "past_predictions.parquet")
    of_os = kept.filter(model="jin2025_os")
    assert of_os.filter(predicted_on=THEN).height == 60
    series = pl.read_parquet(folder / "surveillance.parquet")
    oe = series.filter(model="jin2025_os", measure="oe", until=NOW).row(0, named=True)
    assert (oe["events"], oe["signal"]) == (30, "more events than predicted")
    assert oe["value"] == approx(30 / oe["expected"], rel=1e-3)
    assert "inferred" in oe["note"]
    earlier = series.filter(model="jin2025_os", measure="oe", until=THEN)
    assert earlier["note"].to_list() == ["too few events: none, at least 10 advised"]
    cusum = series.filter(model="jin2025_os", measure="cusum_more").sort("start")
    assert cusum["value"].max() >= 1
    assert cusum["start"].min() == date(2024, 4, 1)
    assert cusum["until"].unique().to_list() == [NOW]
    assert any("jin2025_os: more events" in said for said in result.signals)
    before = {path.name: path.read_bytes() for path in folder.glob("*.parquet")}
    night(None, as_of=NOW)
    assert before == {path.name: path.read_bytes() for path in folder.glob("*.parquet")}
    # Where the night before kept nothing, what it published is what would have been kept.
    (out / f"run_date={THEN}" / "past_predictions.parquet").unlink()
    night(None, as_of=NOW)
    assert pl.read_parquet(folder / "past_predictions.parquet").equals(kept)
