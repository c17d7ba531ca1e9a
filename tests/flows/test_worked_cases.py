"""The worked cases of the product, each through a whole night."""

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tests.flows.conftest import RunNight
from tests.registry import Registry, born_for, days


def lung_patient(registry: Registry, patient: str, **course: Any) -> Registry:
    """Add an adult with lung metastasis and every OS predictor known."""
    registry.patient(patient, birth_date=born_for(40, days(0))).diagnosed(patient)
    registry.operated(patient).treated(patient, **course).treated(patient, days(200))
    return registry.metastasis(patient, "lung").ct(patient).stg(patient, 100)


@pytest.fixture(scope="module")
def registry() -> Registry:
    r = Registry()
    r.usual("case1", 62).metastasis("case1", "lung").metastasis("case1", "bone")
    r.pet("case1", days(-2), suv_max=6.1)
    for case in ("case2", "case3", "case3lung"):
        r.usual(case, 30).event(case, "recurrence", days(-20)).metastasis(case, "lymph_node")
    r.pet("case2", suv_max=2.4)
    r.pet("case3", days(-20), suv_max=9)
    r.metastasis("case3lung", "lung")
    lung_patient(r, "case4", activity=3.7, activity_unit="GBq")
    lung_patient(r, "case4low", activity=740, activity_unit="MBq")
    lung_patient(r, "case5above").stg("case5above", 500, comparator=">", on=days(-1))
    lung_patient(r, "case5unknown").stg("case5unknown", 300, comparator=">", on=days(-1))
    lung_patient(r, "case5pmol").stg("case5pmol", 600, "pmol/L", on=days(-1))
    r.usual("case7late").metastasis("case7late", "lung", days(240))
    r.usual("case7young", birth_date=born_for(17, days(0))).metastasis("case7young", "lung")
    r.usual("case7atc").metastasis("case7atc", "lung")
    r.rows["diagnoses"][-1]["histology"] = "ATC"
    return r


@pytest.fixture
def risk(registry: Registry, night: RunNight, tmp_path: Path) -> dict[str, dict[str, Any]]:
    result = night(registry.write(tmp_path / "export"))
    rows = pl.read_parquet(result.folder / "patient_risk.parquet", hive_partitioning=False)
    return {row["patient_id"]: row for row in rows.to_dicts()}


def test_the_worked_cases(risk: dict[str, dict[str, Any]]) -> None:
    def rrdtc(case: str) -> tuple[Any, ...]:
        row = risk[case]
        return row["rrdtc_points_lower"], row["rrdtc_points_upper"], row["rrdtc_flag"]

    assert rrdtc("case1") == (45, 45, "high")
    assert risk["case1"]["rrdtc_points"] == 45
    assert rrdtc("case2") == (7, 7, "low")
    assert rrdtc("case3") == (7, 47, "indeterminate")
    assert risk["case3"]["rrdtc_points"] is None
    assert any(need.startswith("FDG PET/CT") for need in risk["case3"]["needs"])
    assert rrdtc("case3lung") == (11, 51, "high")

    assert risk["case4"]["os_status"] == "scored"
    assert risk["case4"]["os_extrapolated"] is False
    low = risk["case4low"]
    assert (low["os_status"], low["os_extrapolated"]) == ("scored", True)
    # Each mCi less is worth 100 points / 220 mCi.
    assert low["os_points"] - risk["case4"]["os_points"] == pytest.approx(80 * 100 / 220)

    above, unknown, below = (risk[f"case5{x}"] for x in ("above", "unknown", "pmol"))
    assert above["os_points"] > below["os_points"]
    assert unknown["os_status"] == "bounded"
    assert unknown["os_points_lower"] == pytest.approx(below["os_points"])
    assert unknown["os_points_upper"] == pytest.approx(above["os_points"])
    assert unknown["os_survival_10y"] is None
    assert unknown["os_survival_10y_lower"] < below["os_survival_10y"]

    late = risk["case7late"]
    assert (late["os_status"], late["os_risk_group"]) == ("ineligible", "not_applicable")
    assert "more than 6 months after" in late["os_reasons"][0]
    young = risk["case7young"]
    assert (young["os_status"], young["pfs_status"]) == ("ineligible", "ineligible")
    assert young["rrdtc_status"] != "ineligible"
    atc = risk["case7atc"]
    assert {atc[f"{m}_status"] for m in ("rrdtc", "os", "pfs")} == {"ineligible"}
    assert atc["rrdtc_met"] is None


def test_one_course_makes_a_provisional_uptake(risk: dict[str, dict[str, Any]]) -> None:
    assert risk["case1"]["uptake_provisional"] is True
    assert risk["case4"]["uptake_provisional"] is False
