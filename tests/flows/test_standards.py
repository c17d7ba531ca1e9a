"""Each reference mapping takes its sample through a whole night, and the ledger adds up."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb
import polars as pl
import pytest

from flows.settings import load_mapping
from tests.flows.conftest import RunNight

STANDARDS = Path(__file__).parents[2] / "examples" / "standards"


@dataclass(frozen=True)
class Expected:
    """What comes of a sample."""

    records: Mapping[str, int]
    """Source -> its records, as counted by hand."""
    rows: Mapping[str, tuple[int, int, int]]
    """Table -> rows read, rows quarantined, cells set aside."""
    values: Mapping[str, list[tuple[object, ...]]]
    """SELECT over the valid tables -> the rows that it must find."""


EXPECTED = {
    "naaccr": Expected(
        {"people": 7, "tumours": 8},
        {
            "patients": (7, 0, 1),
            "diagnoses": (6, 0, 1),
            "surgeries": (6, 0, 1),
            "i131_treatments": (3, 0, 3),
            "metastases": (27, 0, 2),
            "events": (1, 0, 0),
        },
        {
            # A200 in 2023 is a lobectomy, B200 in 2024 is less than a lobe, 40 cannot be split.
            "surgery_id, procedure FROM valid.surgeries WHERE surgery_id[-4] < '4' ORDER BY 1": [
                ("0000000001-00000001-01", "lobectomy"),
                ("0000000001-00000002-01", "other"),
                ("0000000001-00000003-01", None),
            ],
            # With a beam as well the date may be the beam's; two activities are none.
            "treatment_date, activity, activity_unit FROM valid.i131_treatments ORDER BY ALL": [
                (date(2024, 1, 15), 100.0, "mCi"),
                (None, 5.55, "GBq"),
                (None, None, None),
            ],
            # No distant lymph node is not none: regional ones are the same site.
            "count(*) FROM valid.metastases WHERE site = 'lymph_node' AND NOT found": [(0,)],
            "found, count(*) FROM valid.metastases GROUP BY found ORDER BY found": [
                (False, 20),
                (True, 5),
                (None, 2),
            ],
            "count(*) FROM valid.diagnoses WHERE m IS NOT NULL AND diagnosis_id LIKE '%3-01'": [
                (0,)
            ],
        },
    ),
    "fhir": Expected(
        {"patients": 5, "conditions": 12, "procedures": 4, "administrations": 6, "labs": 9}
        | {"studies": 3, "statuses": 3, "medications": 1, "histologies": 2, "m_categories": 3}
        | {"sizes": 2},
        {
            "patients": (4, 0, 1),
            "diagnoses": (4, 0, 1),
            "surgeries": (2, 0, 1),
            "i131_treatments": (3, 0, 2),
            "labs": (6, 1, 2),
            "imaging": (2, 0, 0),
            "metastases": (3, 0, 2),
            "events": (2, 1, 0),
        },
        {
            # Orders, what was not done and diagnostic 131I are no therapy; a capsule no activity.
            "treatment_id, treatment_date, activity, activity_unit FROM valid.i131_treatments "
            "ORDER BY ALL": [
                ("a1", date(2024, 1, 16), 5.55, "GBq"),
                ("a2", date(2024, 7, 1), 3700.0, "MBq"),
                ("a3", date(2024, 4, 10), None, None),
            ],
            # The code counts, not its display; provisional, or of no named cancer, is not sure.
            "metastasis_id, site, found FROM valid.metastases ORDER BY ALL": [
                ("m1", "lung", True),
                ("m2", "bone", None),
                ("m3", "lung", None),
            ],
            # The calendar day is the hospital's.
            "sample_date, comparator, value FROM valid.labs WHERE lab_id = 'l1'": [
                (date(2024, 1, 15), ">", 512.0)
            ],
            "death_date FROM valid.patients WHERE death_date IS NOT NULL": [(date(2025, 4, 19),)],
            "histology FROM valid.diagnoses ORDER BY diagnosis_id": [
                ("PTC",),
                ("OCA",),
                ("FTC",),
                (None,),
            ],
        },
    ),
    "omop": Expected(
        {"person": 5, "death": 2, "condition_occurrence": 9, "procedure_occurrence": 5}
        | {"drug_exposure": 5, "measurement": 10},
        {
            "patients": (5, 0, 0),
            "diagnoses": (5, 0, 1),
            "surgeries": (3, 0, 0),
            "i131_treatments": (3, 0, 1),
            "labs": (5, 0, 3),
            "imaging": (1, 0, 0),
            "metastases": (3, 0, 1),
        },
        {
            # 31 December is an unknown day: a year, whose days are an interval.
            "patient_id, death_date FROM valid.patients WHERE death_cause IS NOT NULL ORDER BY 1": [
                ("2", None),
                ("4", date(2025, 4, 18)),
            ],
            # Quantity 1 is a capsule.
            "treatment_id, activity, activity_unit FROM valid.i131_treatments ORDER BY 1": [
                ("201", 150.0, "mCi"),
                ("202", None, None),
                ("203", 3700.0, "MBq"),
            ],
            "metastasis_id, site, found FROM valid.metastases ORDER BY 1": [
                ("401", "lung", True),
                ("402", "bone", None),
                ("404", "unspecified", True),
            ],
        },
    ),
    "redcap": Expected(
        {"records": 9, "dictionary": 21},
        {
            "patients": (4, 0, 1),
            "diagnoses": (4, 0, 0),
            "surgeries": (3, 0, 0),
            "i131_treatments": (3, 0, 2),
            "labs": (3, 0, 0),
            "metastases": (9, 0, 2),
        },
        {
            # Unchecked is no on a complete form alone; a sentence in the remarks is nothing.
            "metastasis_id[:3], site, found FROM valid.metastases WHERE patient_id < 'T-4' "
            "ORDER BY metastasis_id": [
                ("T-1", "lung", True),
                ("T-1", "bone", False),
                ("T-1", "lymph_node", True),
                ("T-1", "brain", False),
                ("T-3", "bone", None),
            ],
            "comparator, value FROM valid.labs ORDER BY lab_id": [
                (">", 500.0),
                ("=", 88.0),
                ("=", 0.2),
            ],
        },
    ),
    "workbook": Expected(
        {"patients": 4, "courses": 4, "results": 2},
        {
            "patients": (4, 0, 1),
            "diagnoses": (4, 0, 1),
            "surgeries": (4, 0, 0),
            "i131_treatments": (4, 0, 3),
            "labs": (3, 0, 0),
            "metastases": (4, 0, 1),
        },
        {
            # Days count from 1904 here; the second course has the number of the merged cell.
            "patient_id, treatment_date, activity, activity_unit, lesion_uptake "
            "FROM valid.i131_treatments ORDER BY 1, 2": [
                ("S-1", date(2024, 1, 16), 3700.0, "MBq", "all"),
                ("S-1", date(2024, 8, 1), 5.5, "GBq", "none"),
                ("S-2", date(2024, 4, 10), None, None, None),
                ("S-4", date(2022, 4, 1), 7400.0, "MBq", "some"),
            ],
            # A sign that no code covers, and a remark, are neither yes nor no.
            "metastasis_id, found FROM valid.metastases ORDER BY 1": [
                ("S-1-4-Metastasen Lunge", True),
                ("S-2-5-Metastasen Knochen", True),
                ("S-2-5-Metastasen Lunge", False),
                ("S-4-7-Metastasen Lunge", None),
            ],
        },
    ),
    "obds": Expected(
        {"people": 3, "reports": 9, "radiations": 6}
        | {"metastases_at_diagnosis": 2, "metastases_later": 1},
        {
            "patients": (3, 0, 1),
            "diagnoses": (3, 0, 1),
            "i131_treatments": (3, 0, 2),
            "metastases": (2, 0, 0),
            "events": (1, 0, 0),
        },
        {
            # Told at its beginning and its end, one course; Gy is no activity; a date that is
            # estimated is none.
            "treatment_date, activity, activity_unit FROM valid.i131_treatments ORDER BY 1": [
                (date(2024, 1, 15), 3.7, "GBq"),
                (date(2024, 4, 10), 3700.0, "MBq"),
                (date(2024, 10, 10), None, None),
            ],
            "site FROM valid.metastases ORDER BY 1": [("bone",), ("lung",)],
            "birth_date FROM valid.patients WHERE patient_id = '103'": [(None,)],
        },
    ),
}


def test_every_standard_that_ships_is_expected_here() -> None:
    assert {folder.name for folder in STANDARDS.iterdir()} == EXPECTED.keys()


@pytest.mark.parametrize("name", EXPECTED)
def test_a_sample_goes_through_a_night_and_every_record_is_accounted_for(
    name: str, night: RunNight, out: Path
) -> None:
    expected, folder = EXPECTED[name], STANDARDS / name
    result = night(folder / "export", mapping=load_mapping(folder / "mapping.toml"))
    with duckdb.connect(str(out / "warehouse.duckdb"), read_only=True) as db:
        for what, rows in expected.values.items():
            assert db.execute(f"SELECT {what}").fetchall() == rows, what
    found: dict[str, tuple[int, int, int]] = {}
    for file in result.files:
        counts = file.rows_read, file.rows_quarantined, file.cells_set_aside
        before = found.get(file.table, (0, 0, 0))
        found[file.table] = tuple(map(sum, zip(before, counts, strict=True)))  # type: ignore[assignment]
    assert found == expected.rows
    ledger = pl.read_parquet(result.folder / "ledger.parquet", hive_partitioning=False)
    records = ledger.group_by("source").agg(pl.struct("file", "record").n_unique())
    assert dict(records.iter_rows()) == expected.records
    assert ledger["fate"].null_count() == 0
    counts_of = pl.col("rows_loaded", "rows_quarantined", "rows_duplicate")
    wrong = pl.col("rows") != pl.sum_horizontal(counts_of)
    assert ledger.filter(wrong).is_empty()
    assert ledger["rows"].sum() == sum(read for read, _, _ in found.values())
    assert ledger.filter(pl.col("fate") == "left_out")["reason"].null_count() == 0
