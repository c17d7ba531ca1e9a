"""Small registries for the tests: only what a test says is there; all else is unremarkable."""

from collections.abc import Mapping as Cells
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import polars as pl

from schemas.registry import TABLES
from transforms.reading.cells import typed
from transforms.reading.mapping import Mapping
from transforms.reading.patients import set_aside_of, spine, with_first_diagnosis
from transforms.reading.quarantine import (
    conflicting_keys,
    kept_columns,
    validate,
    with_context,
)
from transforms.variables.as_of import known_as_of
from transforms.variables.evidence import Record

INDEX = date(2020, 6, 15)
"""The first 131I therapy of every patient, unless a test says otherwise."""

AS_OF = date(2026, 6, 30)
Row = dict[str, Any]
Rows = dict[str, list[Row]]
Read = tuple[dict[str, pl.DataFrame], pl.DataFrame]


def days(n: int) -> date:
    """Return the date so many days after the index date."""
    return INDEX + timedelta(days=n)


def born_for(age: int, on: date) -> date:
    """Return a birth date that makes the patient so many years old on a date."""
    return on.replace(year=on.year - age)


class Registry:
    """A registry under construction: rows by table, with keys given in order."""

    def __init__(self) -> None:
        self.rows: Rows = {name: [] for name in TABLES}

    def add(self, table: str, patient: str, **cells: Any) -> "Registry":
        key = TABLES[table].key
        row = {"patient_id": patient} | dict(TABLES[table].absent) | cells
        if key not in (None, "patient_id"):
            row = {key: f"{table[0].upper()}{len(self.rows[table]) + 1}"} | row
        self.rows[table].append(row)
        return self

    def patient(self, patient: str, **cells: Any) -> "Registry":
        usual = {"sex": "female", "birth_date": date(1980, 1, 1), "last_contact_date": AS_OF}
        return self.add("patients", patient, **(usual | cells))

    def diagnosed(self, patient: str, on: date = days(-90), **cells: Any) -> "Registry":
        return self.add(
            "diagnoses", patient, **({"diagnosis_date": on, "histology": "PTC", "m": "M0"} | cells)
        )

    def operated(self, patient: str, on: date = days(-60), procedure: str = "total") -> "Registry":
        return self.add("surgeries", patient, surgery_date=on, procedure=procedure)

    def treated(
        self, patient: str, on: date = INDEX, uptake: str = "all", **cells: Any
    ) -> "Registry":
        usual = {"activity": 5.55, "activity_unit": "GBq", "lesion_uptake": uptake}
        return self.add("i131_treatments", patient, treatment_date=on, **(usual | cells))

    def metastasis(self, patient: str, site: str, on: date = days(-50)) -> "Registry":
        return self.add("metastases", patient, detected_date=on, site=site)

    def pet(self, patient: str, on: date = days(-2), **cells: Any) -> "Registry":
        return self.add("imaging", patient, study_date=on, modality="FDG_PETCT", **cells)

    def ct(
        self, patient: str, on: date = days(-10), size: float = 1.2, unit: str = "cm"
    ) -> "Registry":
        return self.add(
            "imaging",
            patient,
            study_date=on,
            modality="CT",
            largest_lung_nodule=size,
            largest_lung_nodule_unit=unit,
        )

    def lab(
        self,
        patient: str,
        analyte: str,
        value: float | None,
        unit: str,
        on: date = days(-3),
        comparator: str = "=",
        stimulated: str = "unknown",
    ) -> "Registry":
        return self.add(
            "labs",
            patient,
            sample_date=on,
            analyte=analyte,
            value=value,
            unit=unit,
            comparator=comparator,
            stimulated=stimulated,
        )

    def stg(self, patient: str, value: float, unit: str = "ng/mL", **cells: Any) -> "Registry":
        return self.lab(patient, "Tg", value, unit, stimulated="yes", **cells)

    def event(self, patient: str, kind: str, on: date) -> "Registry":
        return self.add("events", patient, event_date=on, type=kind)

    def reviewed(self, patient: str, on: date, decision: str, **cells: Any) -> "Registry":
        return self.add("reviews", patient, reviewed_at=on, decision=decision, **cells)

    def usual(self, patient: str, age_at_diagnosis: int = 40, **cells: Any) -> "Registry":
        """Add a patient with DTC, operated on and treated once."""
        birth = born_for(age_at_diagnosis, days(-90))
        return (
            self.patient(patient, **({"birth_date": birth} | cells))
            .diagnosed(patient)
            .operated(patient)
            .treated(patient)
        )

    def read(self, as_of: date = AS_OF) -> Read:
        """Return the tables as a night reads them, and what it sets aside."""
        return read(self.rows, as_of)

    def record(self, as_of: date = AS_OF, **more: Any) -> Record:
        """Return the registry as of a date, without what was set aside."""
        tables, aside = self.read(as_of)
        lazy = {name: frame.lazy() for name, frame in tables.items()}
        return known_as_of(lazy, aside.lazy(), as_of, **more)

    def write(self, folder: Path, **how: Any) -> Path:
        """Write the registry as an export of CSV files."""
        return write_export(self.rows, folder, **how)


COLLECTED = Mapping.model_validate(
    {
        "coverage": dict.fromkeys(
            [
                *TABLES,
                *(f"{name}.{column}" for name, table in TABLES.items() for column in table.columns),
            ],
            "collected",
        )
    }
)
"""A registry that collects everything: what its export has nothing of is not there."""


def read(rows: Rows, as_of: date) -> Read:
    """Read rows as a night does: the valid tables, and what was set aside, by patient_no."""
    text = {name: as_text(rows[name], table.columns) for name, table in TABLES.items()}
    return read_text(text, as_of)


def read_text(received: Cells[str, pl.DataFrame], as_of: date) -> Read:
    """Read received text, as `read`; a table that is not there has no row."""
    tables: dict[str, pl.DataFrame] = {}
    aside = []
    patients: pl.DataFrame | None = None
    for name, table in TABLES.items():
        text = received.get(name, as_text([], table.columns)).with_row_index("line", 2)
        text = text.with_columns(
            file_no=pl.lit(1, dtype=pl.UInt32), row_hash=pl.col("line").cast(pl.UInt64)
        )
        typed_rows = with_context(typed(text, name, Mapping()), name, patients)
        valid, apart = validate(typed_rows, name, as_of)
        valid, conflicts = conflicting_keys(valid, name)
        aside.append(pl.concat([apart, conflicts]))
        if patients is None:
            patients = spine(valid, aside[0])
            numbers = patients.select("patient_id", "patient_no")
            valid = numbers.join(valid, on="patient_id", how="left", maintain_order="left")
        elif name == "diagnoses":
            patients = with_first_diagnosis(patients, valid)
        tables[name] = valid.select(
            "patient_no", *(c for c in kept_columns(name) if c != "patient_no")
        )
    assert patients is not None
    return tables, set_aside_of(pl.concat(aside), patients)


def as_text(rows: Sequence[Cells[str, Any]], columns: Sequence[str]) -> pl.DataFrame:
    """Return rows as text cells, the way an export has them."""
    cells = [{c: None if row.get(c) is None else str(row[c]) for c in columns} for row in rows]
    return pl.DataFrame(cells, schema=dict.fromkeys(columns, pl.String))


def write_export(rows: Rows, folder: Path, separator: str = ",") -> Path:
    """Write rows as an export of CSV files."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, table in TABLES.items():
        frame = as_text(rows[name], table.columns)
        frame.write_csv(folder / f"{name}.csv", separator=separator)
    return folder


NOTHING_ASIDE = pl.LazyFrame(
    schema={
        "patient_no": pl.UInt32,
        "table": pl.String,
        "cell": pl.String,
        "earliest": pl.Date,
        "latest": pl.Date,
    }
)
"""Nothing was set aside."""


def aside(table: str, on: date | None, patient_no: int = 0) -> pl.LazyFrame:
    """Return one quarantined row, of the only patient unless said."""
    row = {"patient_no": patient_no, "table": table, "earliest": on, "latest": on}
    return pl.LazyFrame([row], schema=NOTHING_ASIDE.collect_schema())
