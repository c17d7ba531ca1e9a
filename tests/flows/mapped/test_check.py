"""What a data manager sees of a mapping before any night."""

from datetime import date
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from flows.errors import UsageError
from flows.mapped.check import Checked, checked
from flows.mapped.explain import explained
from flows.mapped.report import show
from flows.mapped.trace import show_record
from flows.settings import Settings, load_mapping

COHORT = Path("examples/cohort")
MAPPING = load_mapping(COHORT / "mapping.toml")
AS_OF = date(2016, 1, 1)
SETTINGS = Settings(memory="4GB")


@pytest.fixture(scope="module")
def found() -> Checked:
    return checked(MAPPING, COHORT / "export", SETTINGS, AS_OF)


def test_values_that_nothing_covers_are_listed_with_their_number(found: Checked) -> None:
    told = {(r["table"], r["cell"], r["value"]): r["cells"] for r in found.uncovered.to_dicts()}
    assert told["diagnoses", "histology", "Medullary"] == 1
    assert told["metastases", "site", "Spleen"] == 1
    assert told["i131_treatments", "activity", "one capsule"] == 1
    assert told["labs", "value", "not covered: 1.234"] == 2


def test_rows_records_and_models_are_counted(found: Checked) -> None:
    assert found.patients == 12
    rows = {row["table"]: row["rows_read"] for row in found.tables.to_dicts()}
    assert rows["metastases"] == 27
    assert {row["source"] for row in found.sources} == set(MAPPING.sources)
    assert (
        found.models.select("scored", "bounded", "insufficient", "ineligible").sum_horizontal()
        == 12
    ).all()
    uptake = found.predictors.filter(model="jin2025_pfs", label="131I uptake").to_dicts()[0]
    assert (uptake["known"], uptake["unknown"], uptake["would_complete"]) == (0, 6, 4)


def test_what_is_shown_names_the_addition_that_unlocks_most(found: Checked) -> None:
    console = Console(record=True, width=200, file=StringIO())
    show(found, console)
    said = console.export_text()
    assert "Most would be unlocked by: 131I uptake (jin2025_pfs)" in said
    assert "taken for granted: labs.unit (labs.1): the unit stands in the column's name" in said


def test_the_way_of_a_record_is_shown_to_its_cells() -> None:
    console = Console(record=True, width=200, file=StringIO())
    show_record("radiation.txt:8", MAPPING, COHORT / "export", SETTINGS, AS_OF, console)
    said = console.export_text()
    assert "total_dose: 100-150 mCi" in said
    assert "i131_treatments, rule i131_treatments.1: emitted" in said
    assert "cell activity set aside: activity: not a number" in said


@pytest.mark.parametrize("record", ["radiation.txt", "radiation.txt:1", "nothing.txt:4"])
def test_a_record_that_is_not_there_is_refused(record: str) -> None:
    with pytest.raises(UsageError):
        show_record(record, MAPPING, COHORT / "export", SETTINGS, AS_OF, Console(file=StringIO()))


def test_the_sql_of_a_rule_is_shown_with_and_without_the_files() -> None:
    without = "\n".join(explained(MAPPING, None, "i131_treatments"))
    with_files = "\n".join(explained(MAPPING, COHORT / "export", "i131_treatments"))
    for said in (without, with_files):
        assert 'days_after(whole_year("p"."initial_pathologic_dx_year", \'07-01\')' in said
    assert "takes for granted: 1 July stands" in without
