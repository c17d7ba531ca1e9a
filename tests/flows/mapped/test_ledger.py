"""Whatever the records and rules: each record has a fate, and rows are not lost or made up."""

from collections import Counter
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.counts import Counting, FileCount
from flows.errors import NightError
from flows.intake.rows import batches
from flows.mapped.ledger import ledger, seen_of, summary, trace
from flows.mapped.opening import open_mapped
from flows.mapped.prepare import Prepared, prepared
from flows.settings import Settings
from schemas.registry import TABLES
from transforms.reading.mapping import Mapping
from transforms.reading.quarantine import nothing_rejected, rejected

CELL = st.sampled_from(["", "a", "b", "1", "2", "Y", "N", "x|y", 'q"', "a\tb"])
ROWS = st.lists(st.tuples(CELL, CELL, CELL, CELL), min_size=1, max_size=12)
OTHERS = ("patients", "diagnoses", "surgeries", "i131_treatments", "labs", "imaging", "events")
KEEP: dict[str, Any] = {
    "join": {"p": {"source": "people", "on": {"id": "id"}}},
    "where": {"filled": "id IS NOT NULL"},
    "leave_out": {"b": "v = 'b'"},
    "latest": {"per": ["id"], "by": ["w"]},
    "unpivot": {"columns": ["v", "w", "x"]},
}
LIST = {"unpivot": {"split": "x"}}
JOINS = st.sampled_from(["keep", "leave_out", "reject"])


@st.composite
def rules(draw: st.DrawFn) -> dict[str, Any]:
    """Draw a rule for metastases with any of the steps."""
    steps = {name: KEEP[name] for name in draw(st.sets(st.sampled_from(sorted(KEEP))))}
    if "unpivot" in steps and draw(st.booleans()):
        steps |= LIST
    if "join" in steps:
        steps["join"] = {"p": KEEP["join"]["p"] | {"missing": draw(JOINS)}}
    site = "_value" if "unpivot" in steps else "v"
    columns = {
        "metastasis_id": {"template": "{id}{v}"},
        "patient_id": "id",
        "detected_date": "w",
        "site": site,
    }
    return {"source": "forms", "columns": columns, **steps}


def mapping_of(*found: dict[str, Any]) -> Mapping:
    return Mapping(
        sources={"forms": {"files": ["forms*.csv"]}, "people": {"files": ["people.csv"]}},
        tables={"metastases": {"from": list(found)}},
        coverage=dict.fromkeys(OTHERS, "not_collected"),
    )


NO_ROWS = pl.DataFrame(
    schema=dict.fromkeys([*TABLES["metastases"].columns, "extra", "unreadable"], pl.String)
    | {"line": pl.UInt32, "row_hash": pl.UInt64, "file_no": pl.UInt32}
)


def write(path: Path, rows: list[tuple[str, ...]]) -> None:
    lines = ["\t".join(("id", "v", "w", "x")), *("\t".join(row) for row in rows)]
    path.write_text("\n".join(lines) + "\n")


def made_of(
    folder: Path, mapping: Mapping
) -> tuple[Prepared, list[pl.DataFrame], list[FileCount], pl.DataFrame]:
    """Map an export and load its rows as a night does, all of them valid."""
    scratch = folder / "scratch"
    scratch.mkdir()
    made = prepared(open_mapped(folder, mapping), mapping, scratch, Settings())
    counted: dict[int, Counting] = {}
    kept: list[pl.DataFrame] = []
    for number, file in enumerate(made.files["metastases"], 1):
        count = counted[number] = Counting(file)
        for batch in batches(file, mapping, scratch, Settings()):
            count.rows += batch.height
            count.seen.append(seen_of(batch))
            kept.append(batch.with_columns(file_no=pl.lit(number, dtype=pl.UInt32)))
    rows = pl.concat([NO_ROWS, *kept], how="diagonal_relaxed")
    distinct = rows.unique("row_hash", keep="first", maintain_order=True)
    for number, count in counted.items():
        count.duplicates = count.rows - distinct.filter(file_no=number).height
    is_row = pl.col("unreadable").is_null()
    valid = distinct.filter(is_row)
    bad = distinct.filter(~is_row)
    aside = rejected(bad, "metastases", pl.concat_list("unreadable")) if bad.height else None
    bad = nothing_rejected() if aside is None else aside
    files = [
        FileCount(
            "metastases",
            count.file.name,
            count.file.sha256,
            count.rows,
            valid.filter(file_no=number).height,
            bad.filter(file_no=number).height,
            count.duplicates,
            0,
            0,
        )
        for number, count in counted.items()
    ]
    return made, [trace("metastases", counted, valid, bad)], files, rows


@settings(max_examples=25, deadline=None)
@given(ROWS, ROWS, ROWS, st.lists(rules(), min_size=1, max_size=2))
def test_each_record_has_a_fate_by_each_rule_and_the_rows_add_up(
    tmp_path_factory: pytest.TempPathFactory,
    forms: list[tuple[str, ...]],
    more: list[tuple[str, ...]],
    people: list[tuple[str, ...]],
    found: list[dict[str, Any]],
) -> None:
    folder = tmp_path_factory.mktemp("export")
    for name, rows in (("forms-1.csv", forms), ("forms-2.csv", more), ("people.csv", people)):
        write(folder / name, rows)
    made, traced, files, _ = made_of(folder, mapping_of(*found))
    told = ledger(made, traced, files)  # refuses what does not add up
    counted = {row["file"]: row["records"] for row in summary(told)}
    written = {"forms-1.csv": forms, "forms-2.csv": more, "people.csv": people}
    # A line without any character is blank, and no record.
    assert counted == {name: len(rows) for name, rows in written.items()}
    by_fate = sum(
        sum(row[f] for f in ("emitted", "merged", "rejected", "left_out")) for row in summary(told)
    )
    assert by_fate == sum(counted.values())


@settings(max_examples=15, deadline=None)
@given(ROWS, ROWS, rules(), st.randoms(use_true_random=False))
def test_the_order_of_records_changes_no_row(
    tmp_path_factory: pytest.TempPathFactory,
    forms: list[tuple[str, ...]],
    people: list[tuple[str, ...]],
    rule: dict[str, Any],
    random: Any,
) -> None:
    def rows_of(forms: list[tuple[str, ...]], people: list[tuple[str, ...]]) -> Counter[Any]:
        folder = tmp_path_factory.mktemp("export")
        write(folder / "forms.csv", forms)
        write(folder / "people.csv", people)
        rows = made_of(folder, mapping_of(rule))[3]
        return Counter(rows.drop("line", "file_no").rows())

    shuffled, others = [*forms], [*people]
    random.shuffle(shuffled)
    random.shuffle(others)
    assert rows_of(forms, people) == rows_of(shuffled, others)


def test_a_record_without_a_fate_refuses_the_night(tmp_path: Path) -> None:
    write(tmp_path / "forms.csv", [("a", "1", "2", "3"), ("b", "1", "2", "3")])
    write(tmp_path / "people.csv", [("a", "1", "2", "3")])
    columns = rules_without_steps()
    made, traced, files, _ = made_of(tmp_path, mapping_of(columns))
    with pytest.raises(NightError, match="2 records read, but 1 accounted for"):
        ledger(made, [traced[0].head(1)], files)
    with pytest.raises(NightError, match="rows"):
        ledger(made, [traced[0].with_columns(rows_loaded=pl.lit(0, dtype=pl.UInt32))], files)


def rules_without_steps() -> dict[str, Any]:
    columns = {"metastasis_id": {"template": "{id}-{v}"}, "patient_id": "id", "site": "v"}
    return {"source": "forms", "columns": columns | {"detected_date": "w"}}
