"""Who is on the worklist: newly flagged, changed and still unreviewed patients, and nobody else."""

import shutil
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest

from flows.outputs import Result
from flows.secrets import Keys
from tests.flows.conftest import RunNight, publish
from tests.registry import AS_OF, COLLECTED, Registry, days
from transforms.reading.mapping import Mapping

DAY = timedelta(days=1)


def two() -> Registry:
    registry = Registry().usual("A", 62).metastasis("A", "lymph_node").pet("A", suv_max=8)
    return registry.usual("B")


@pytest.fixture
def registry() -> Registry:
    """Return a registry in which A is at high risk of RR-DTC and B is at no risk."""
    return two()


class Nights:
    """Nights of one registry, a day apart.

    The first night of the two patients, of which most tests start, is one for all of them.
    """

    def __init__(self, night: RunNight, folder: Path, first: Result) -> None:
        self.night, self.folder, self.day, self.first = night, folder, AS_OF, first

    def next(self, registry: Registry, **how: object) -> Result:
        self.day += DAY
        if self.day == self.first.as_of and registry.rows == two().rows and not how:
            out = self.folder / "out"
            shutil.copytree(self.first.folder.parent, out, symlinks=True)
            return replace(self.first, folder=out / self.first.folder.name)
        return self.night(registry.write(self.folder / str(self.day)), as_of=self.day, **how)


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Result:
    root = tmp_path_factory.mktemp("first")
    return publish(two().write(root / "export"), root / "out", AS_OF + DAY)


@pytest.fixture
def nights(night: RunNight, tmp_path: Path, first: Result) -> Nights:
    return Nights(night, tmp_path, first)


def listed(result: Result) -> list[str]:
    return pl.read_parquet(result.folder / "worklist.parquet", hive_partitioning=False)[
        "patient_id"
    ].to_list()


def risk_of(result: Result, patient: str) -> dict[str, object]:
    risk = pl.read_parquet(result.folder / "patient_risk.parquet", hive_partitioning=False)
    return risk.row(by_predicate=pl.col("patient_id") == patient, named=True)


def test_a_flagged_patient_waits_every_night_until_reviewed(
    registry: Registry, nights: Nights
) -> None:
    first, second = nights.next(registry), nights.next(registry)
    assert listed(first) == listed(second) == ["A"]
    assert (first.newly_flagged, second.newly_flagged) == (0, 0)
    assert risk_of(second, "A")["urgency_rule"] == "points"
    assert risk_of(second, "A")["list"] == "backlog"
    assert risk_of(second, "A")["waiting_since"] == first.as_of
    registry.reviewed("A", second.as_of, "confirmed", reviewer="physician")
    third, fourth = nights.next(registry), nights.next(registry)
    assert listed(third) == listed(fourth) == []
    assert third.review_status["reviewed"] == 1
    assert risk_of(fourth, "A")["review_decision"] == "confirmed"


@pytest.mark.parametrize("decision", ["confirmed", "dismissed"])
def test_a_reviewed_patient_comes_back_when_something_that_mattered_changed(
    registry: Registry, nights: Nights, decision: str
) -> None:
    first = nights.next(registry)
    registry.reviewed("A", first.as_of, decision)
    assert listed(nights.next(registry)) == []
    registry.stg("A", 3)  # no predictor of the RR-DTC score: nothing that the reviewer looked at
    assert listed(nights.next(registry)) == []
    registry.event("A", "progression", days(100))
    back = nights.next(registry)
    assert listed(back) == ["A"]
    assert risk_of(back, "A")["changed_since_review"] == [
        "rrdtc_met: false -> true",
        "rrdtc_criterion: none -> 4",
    ]
    assert risk_of(back, "A")["list"] == "new"
    assert risk_of(back, "A")["known_since"] == back.as_of
    registry.reviewed("A", back.as_of, "confirmed")
    assert listed(nights.next(registry)) == []


def test_what_changes_during_the_review_is_not_lost(registry: Registry, nights: Nights) -> None:
    first = nights.next(registry)
    registry.reviewed("A", first.as_of, "confirmed").event("A", "progression", days(100))
    assert listed(nights.next(registry)) == ["A"]


def test_a_review_that_arrives_late_is_held_against_the_night_it_saw(
    registry: Registry, nights: Nights
) -> None:
    first = nights.next(registry)
    registry.event("A", "progression", days(100))
    nights.next(registry)
    registry.reviewed("A", first.as_of, "dismissed")
    third = nights.next(registry)
    assert listed(third) == ["A"]
    assert risk_of(third, "A")["changed_since_review"][0] == "rrdtc_met: false -> true"  # type: ignore[index]


def test_what_a_reviewer_saw_outlasts_the_version_that_wrote_it_without_names(
    registry: Registry, nights: Nights
) -> None:
    registry.reviewed("A", nights.next(registry).as_of, "confirmed")
    second = nights.next(registry)
    named = risk_of(second, "A")["reviewed_state"]
    path = second.folder / "patient_risk.parquet"
    value = pl.element().str.replace("^[a-z0-9_]+=", "")
    older = pl.col("reviewed_state").list.eval(value)
    pl.read_parquet(path, hive_partitioning=False).with_columns(older).write_parquet(path)
    assert risk_of(second, "A")["reviewed_state"] != named
    third = nights.next(registry)
    assert listed(third) == []
    assert risk_of(third, "A")["reviewed_state"] == named
    registry.event("A", "progression", days(100))
    assert risk_of(nights.next(registry), "A")["changed_since_review"] == [
        "rrdtc_met: false -> true",
        "rrdtc_criterion: none -> 4",
    ]


def test_a_review_before_any_night_saw_nothing(registry: Registry, nights: Nights) -> None:
    registry.reviewed("A", AS_OF - DAY, "dismissed")
    assert listed(nights.next(registry)) == ["A"]
    assert listed(nights.next(registry)) == ["A"]


def test_a_deferred_patient_comes_back_on_the_date(registry: Registry, nights: Nights) -> None:
    first = nights.next(registry)
    registry.reviewed("A", first.as_of, "deferred", deferred_until=first.as_of + 2 * DAY)
    second, third = nights.next(registry), nights.next(registry)
    assert (listed(second), second.review_status["deferred"]) == ([], 1)
    assert listed(third) == ["A"]


def test_of_two_reviews_on_a_day_the_patient_rather_comes_back(
    registry: Registry, nights: Nights
) -> None:
    first = nights.next(registry)
    registry.reviewed("A", first.as_of, "deferred", deferred_until=first.as_of + DAY)
    registry.reviewed("A", first.as_of, "dismissed")
    assert listed(nights.next(registry)) == ["A"]


def test_a_deferral_without_a_date_is_quarantined(registry: Registry, nights: Nights) -> None:
    first = nights.next(registry)
    registry.reviewed("A", first.as_of, "deferred").reviewed("nobody", first.as_of, "confirmed")
    second = nights.next(registry)
    quarantine = pl.read_parquet(second.folder / "quarantine.parquet", hive_partitioning=False)
    assert quarantine["reasons"].to_list() == [
        ["deferred_until: empty for a deferred patient"],
        ["patient_id: not in patients"],
    ]
    assert listed(second) == ["A"]


def test_the_cap_keeps_the_most_urgent_and_says_what_was_cut(
    registry: Registry, nights: Nights
) -> None:
    registry.usual("C", 62).metastasis("C", "lymph_node").pet("C", suv_max=8)
    registry.event("C", "progression", AS_OF - 30 * DAY)
    result = nights.next(registry, worklist_cap=1)
    assert listed(result) == ["C"]
    assert (result.to_review, result.cut_from_worklist) == (1, 1)
    assert risk_of(result, "A")["review_status"] == "waiting"


def test_reviewers_answer_with_the_pseudonyms_they_see(registry: Registry, nights: Nights) -> None:
    keys = Keys(pseudonym=b"a key of the test, long enough")
    first = nights.next(registry, keys=keys)
    (shown,) = listed(first)
    assert shown != "A"
    registry.reviewed(shown, first.as_of, "confirmed")
    assert listed(nights.next(registry, keys=keys)) == []


def test_handing_in_only_today_s_reviews_does_not_bring_back_yesterday_s(
    registry: Registry, nights: Nights
) -> None:
    registry.usual("C", 62).metastasis("C", "lymph_node").pet("C", suv_max=8)
    registry.reviewed("A", nights.next(registry).as_of, "confirmed")
    assert listed(nights.next(registry)) == ["C"]
    registry.rows["reviews"].clear()
    registry.reviewed("C", nights.day, "dismissed", reason="no_disease")
    third = nights.next(registry)
    assert listed(third) == []
    assert any("reviews: 1 that the last export had are not" in said for said in third.warnings)
    fourth = nights.next(registry, keep_history=1)
    assert listed(fourth) == []
    assert not any("still count" in said for said in fourth.warnings)
    assert listed(nights.next(registry, keep_history=1)) == []


def test_reviews_without_a_file_still_count(
    registry: Registry, nights: Nights, night: RunNight, tmp_path: Path
) -> None:
    registry.reviewed("A", nights.next(registry).as_of, "confirmed")
    nights.next(registry)
    export = registry.write(tmp_path / "without")
    (export / "reviews.csv").unlink()
    assert listed(night(export, as_of=nights.day + DAY)) == []


def test_a_review_that_is_taken_back_leaves_the_patient_as_never_reviewed(
    registry: Registry, nights: Nights
) -> None:
    first = nights.next(registry)
    registry.reviewed("A", first.as_of, "dismissed", reason="data_error")
    assert listed(nights.next(registry)) == []
    registry.reviewed("A", nights.day, "reopened")
    third = nights.next(registry)
    assert listed(third) == ["A"]
    assert risk_of(third, "A")["review_decision"] == "reopened"
    never_reviewed = risk_of(first, "A")["review_priority"]
    assert risk_of(third, "A")["review_priority"] == never_reviewed
    assert listed(nights.next(registry)) == ["A"]
    registry.reviewed("A", nights.day, "confirmed")
    assert listed(nights.next(registry)) == []


def test_a_row_that_the_mapping_now_reads_otherwise_counts_as_it_reads_now(
    registry: Registry, nights: Nights
) -> None:
    registry.reviewed("A", nights.next(registry).as_of, "x")
    codes = {"tables": {"reviews": {"codes": {"decision": {"x": "confirmed"}}}}}
    read = COLLECTED.model_dump() | codes
    assert listed(nights.next(registry, mapping=Mapping.model_validate(read))) == []
    codes["tables"]["reviews"]["codes"]["decision"]["x"] = "reopened"
    read = COLLECTED.model_dump() | codes
    assert listed(nights.next(registry, mapping=Mapping.model_validate(read))) == ["A"]


def test_replaying_a_night_gives_the_same_worklist(
    registry: Registry, nights: Nights, night: RunNight
) -> None:
    first = nights.next(registry)
    registry.reviewed("A", first.as_of, "confirmed")
    second = nights.next(registry)
    before = (second.folder / "patient_risk.parquet").read_bytes()
    nights.next(registry)
    night(None, as_of=second.as_of)
    assert (second.folder / "patient_risk.parquet").read_bytes() == before


def test_the_dead_are_never_listed(night: RunNight, tmp_path: Path) -> None:
    registry = Registry()
    died = {"death_date": days(900), "last_contact_date": days(900)}
    for patient, fate in (("A", died), ("B", {})):
        registry.usual(patient, **fate)
        registry.metastasis(patient, "lung").treated(patient, days(200), "none")
    folder = night(registry.write(tmp_path / "export")).folder
    listed = pl.read_parquet(folder / "worklist.parquet", hive_partitioning=False)
    assert listed["patient_id"].to_list() == ["B"]
