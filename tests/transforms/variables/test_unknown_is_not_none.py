"""What is missing makes an answer unknown, never another answer."""

from datetime import date
from typing import Any

import pytest

from tests.registry import Registry, aside, days
from tests.transforms.conftest import Derive


def metastatic(patient: str = "A") -> Registry:
    return Registry().usual(patient).metastasis(patient, "lung")


def test_a_course_set_aside_alone_is_not_no_therapy(derive: Derive) -> None:
    registry = Registry().patient("A").diagnosed("A").operated("A").metastasis("A", "lung")
    row = derive(registry, aside("i131_treatments", days(0)))
    assert row["has_index"] is None
    assert row["rrdtc_met"] is None
    assert row["courses"] is None


def test_a_quarantined_operation_is_not_no_thyroidectomy(derive: Derive) -> None:
    registry = Registry().patient("A").diagnosed("A").treated("A").metastasis("A", "lung")
    assert derive(registry)["thyroidectomy_before_index"] is False
    assert derive(registry, aside("surgeries", None))["thyroidectomy_before_index"] is None
    assert derive(registry, aside("surgeries", days(1)))["thyroidectomy_before_index"] is False


@pytest.mark.parametrize(
    ("table", "variable", "collected"),
    [
        ("events", "recurrence", "no"),
        ("surgeries", "thyroidectomy_before_index", False),
        ("i131_treatments", "has_index", False),
        ("metastases", "metastatic", False),
        ("metastases", "lung_timing", "none"),
        ("events", "rrdtc_met", False),
        ("imaging", "pfs_event", False),
    ],
)
def test_what_is_not_collected_is_unknown(
    derive: Derive, table: str, variable: str, collected: Any
) -> None:
    registry = Registry().usual("A") if variable != "rrdtc_met" else metastatic()
    if table in ("surgeries", "i131_treatments"):
        registry.rows[table].clear()
    assert derive(registry)[variable] == collected
    assert derive(registry, coverage={table: "not_collected"})[variable] is None


def test_an_operation_of_unknown_procedure_may_be_a_thyroidectomy(derive: Derive) -> None:
    registry = Registry().patient("A").diagnosed("A").treated("A")
    registry.add("surgeries", "A", surgery_date=days(-60))
    assert derive(registry)["thyroidectomy_before_index"] is None


def test_looked_for_and_not_found_is_evidence_up_to_its_day(derive: Derive) -> None:
    registry = Registry().usual("A")
    registry.add("events", "A", type="recurrence", event_date=days(10), found="no")
    row = derive(registry, coverage={"events": "not_collected"})
    assert row["recurrence"] == "no"
    early = Registry().usual("A")
    early.add("events", "A", type="recurrence", event_date=days(-10), found="no")
    assert derive(early, coverage={"events": "not_collected"})["recurrence"] is None


def test_m1_alone_is_a_metastasis_of_no_known_site(derive: Derive) -> None:
    registry = Registry().patient("A").diagnosed("A", m="pM1").operated("A").treated("A")
    row = derive(registry)
    assert row["metastatic"] is True
    assert (row["site_count"], row["sites"], row["lung_timing"]) == (None, None, None)


@pytest.mark.parametrize("category", [None, "MX"])
def test_an_m_category_that_nobody_recorded_leaves_none_unknown(
    derive: Derive, category: str | None
) -> None:
    registry = Registry().patient("A").diagnosed("A", m=category).operated("A").treated("A")
    assert derive(registry)["metastatic"] is None


def test_an_unspecified_site_counts_neither_as_single_nor_as_second(derive: Derive) -> None:
    registry = metastatic().metastasis("A", "unspecified")
    assert derive(registry)["site_count"] == "single"


def test_a_partial_date_is_known_where_every_day_of_it_gives_the_same(derive: Derive) -> None:
    registry = Registry().patient("A", birth_date="1960").diagnosed("A", on="2010-03")
    registry.operated("A", on="2010-04").treated("A", on="2010-06")
    row = derive(registry)
    assert (row["age_48"], row["age_55"]) == ("yes", "no")
    assert row["thyroidectomy_before_index"] is True
    assert (row["index_date"], row["age_at_index"]) == (None, None)
    assert row["activity_mci"] == 150
    assert row["courses"] == 1


def test_a_partial_date_across_a_limit_is_unknown(derive: Derive) -> None:
    registry = Registry().patient("A", birth_date="1962").diagnosed("A", on="2010")
    registry.operated("A", on="2010").treated("A", on="2010-06-15")
    row = derive(registry)
    assert row["age_48"] is None
    assert row["thyroidectomy_before_index"] is None


def test_a_course_entered_twice_is_one_course(derive: Derive) -> None:
    registry = metastatic().treated("A")
    row = derive(registry)
    assert (row["courses"], row["cumulative_activity_mci"], row["activity_mci"]) == (1, 150, 150)
    other = metastatic().treated("A", activity=7.4)
    row = derive(other)
    assert (row["courses"], row["cumulative_activity_mci"], row["activity_mci"]) == (1, None, None)


def test_uptake_without_a_lesion_says_nothing_of_lesions(derive: Derive) -> None:
    registry = Registry().patient("A").diagnosed("A").operated("A").treated("A", uptake="none")
    row = derive(registry)
    assert (row["rrdtc_met"], row["rrdtc_reason"]) == (None, "uptake recorded, but no lesion")


@pytest.mark.parametrize(("day", "met"), [(7, True), (8, None)])
def test_a_lesion_counts_up_to_seven_days_after_the_course(
    derive: Derive, day: int, met: bool | None
) -> None:
    registry = Registry().patient("A").diagnosed("A").operated("A").treated("A", uptake="none")
    registry.metastasis("A", "lung", days(day))
    assert derive(registry)["rrdtc_met"] is met


@pytest.mark.parametrize("lesion", ["recurrence", "nodule"])
def test_a_recurrence_and_a_measured_nodule_are_lesions(derive: Derive, lesion: str) -> None:
    registry = Registry().patient("A").diagnosed("A").operated("A").treated("A", uptake="none")
    if lesion == "recurrence":
        registry.event("A", "recurrence", days(-5))
    else:
        registry.ct("A")
    assert derive(registry)["rrdtc_criterion"] == 1


def test_recist_pd_after_a_course_is_progression_unless_switched_off(derive: Derive) -> None:
    from transforms.variables.windows import Windows

    registry = metastatic()
    registry.add("imaging", "A", study_date=days(100), modality="CT", recist="PD")
    row = derive(registry)
    assert (row["rrdtc_criterion"], row["pfs_event"]) == (4, True)
    row = derive(registry, windows=Windows(recist_progression=False))
    assert (row["rrdtc_met"], row["pfs_event"]) == (False, False)


def over_600(registry: Registry) -> Registry:
    return registry.treated("A", days(100), activity=500, activity_unit="mCi")


@pytest.mark.parametrize(
    ("recist", "day", "met"),
    [("CR", 90, False), ("CR", 101, True), ("SD", 90, True), ("CR", 100, False)],
)
def test_a_complete_response_before_the_limit_is_passed_rules_criterion_5_out(
    derive: Derive, recist: str, day: int, met: bool
) -> None:
    registry = over_600(metastatic())
    registry.add("imaging", "A", study_date=days(day), modality="CT", recist=recist)
    row = derive(registry)
    assert row["rrdtc_met"] is met
    assert row["rrdtc_criterion"] == (5 if met else None)


def test_criterion_5_is_the_type_only_where_no_other_holds(derive: Derive) -> None:
    registry = over_600(metastatic()).treated("A", days(200), "none")
    row = derive(registry)
    assert (row["rrdtc_criterion"], row["rrdtc_met_date"]) == (2, days(100))


def test_a_scan_that_cannot_be_read_leaves_the_type_unknown_but_not_the_status(
    derive: Derive,
) -> None:
    registry = metastatic().treated("A", days(100), None).treated("A", days(200), "none")
    row = derive(registry)
    assert row["rrdtc_met"] is True
    assert (row["rrdtc_criterion"], row["rrdtc_met_date"]) == (None, None)


def test_an_unread_death_date_is_not_alive(derive: Derive) -> None:
    row = derive(Registry().usual("A", death_date="soon", last_contact_date=days(90)))
    assert (row["died"], row["os_event"], row["os_months"]) == (None, None, None)
    assert row["cells_set_aside"] == 1


def test_a_row_that_may_be_later_than_the_night_is_perhaps_known(derive: Derive) -> None:
    registry = Registry().patient("A").diagnosed("A").operated("A")
    registry.treated("A", on="2020")
    assert (
        derive(registry, as_of=date(2020, 6, 30), extracted_on=date(2026, 1, 1))["has_index"]
        is None
    )
    assert derive(registry, as_of=date(2020, 12, 31))["has_index"] is True


def test_an_empty_comparator_is_unknown(derive: Derive) -> None:
    registry = metastatic().lab("A", "Tg", 900, "ng/mL", comparator="", stimulated="yes")
    assert derive(registry)["stg_500"] is None


def test_a_tg_that_may_be_stimulated_leaves_the_older_one_undecided(derive: Derive) -> None:
    registry = metastatic().stg("A", 900, on=days(-10)).lab("A", "Tg", 2, "ng/mL", on=days(-5))
    assert derive(registry)["stg_500"] is None
    registry.lab("A", "TSH", 2, "mIU/L", on=days(-5))
    assert derive(registry)["stg_500"] is None
    suppressed = metastatic().stg("A", 900, on=days(-10))
    suppressed.lab("A", "Tg", 2, "ng/mL", on=days(-5), stimulated="no")
    assert derive(suppressed)["stg_500"] == "at_or_above"


def test_another_entry_that_may_be_of_the_same_day_leaves_a_course_in_doubt(derive: Derive) -> None:
    registry = metastatic().treated("A", days(100), "none").treated("A", "2020-09", activity=9)
    row = derive(registry)
    assert (row["criterion_1_state"], row["criterion_2_state"]) == ("not_met", "unknown")
    assert row["cumulative_activity_at_least"] == 300
    smaller = metastatic().treated("A", days(100)).treated("A", "2020-09", activity=3.7)
    assert derive(smaller)["cumulative_activity_at_least"] == 250


def test_of_two_activities_of_one_day_the_smaller_is_certain(derive: Derive) -> None:
    registry = metastatic().treated("A", activity=7.4)
    assert derive(registry)["cumulative_activity_at_least"] == 150


def test_a_metastasis_found_later_takes_nothing_from_m1(derive: Derive) -> None:
    registry = Registry().patient("A").diagnosed("A", m="M1").operated("A").treated("A")
    registry.metastasis("A", "bone", days(400))
    row = derive(registry)
    assert (row["metastatic"], row["lung_timing"]) == (True, "none")


def test_a_site_that_is_not_collected_leaves_single_and_lung_unknown(derive: Derive) -> None:
    row = derive(metastatic(), coverage={"metastases.site.bone": "not_collected"})
    assert (row["site_count"], row["extent"], row["metastasis_date"]) == (None, None, None)
    assert row["lung_timing"] == "in_time"


def test_a_modality_that_is_not_collected_may_hold_a_progression(derive: Derive) -> None:
    coverage = {"imaging.modality.MRI": "not_collected"}
    assert derive(metastatic(), coverage=coverage)["pfs_event"] is None


def test_a_tg_of_a_month_may_be_of_the_day_of_a_high_tsh(derive: Derive) -> None:
    registry = metastatic().lab("A", "Tg", 900, "ng/mL", on="2020-06", stimulated="no")
    registry.lab("A", "TSH", 90, "mIU/L", on=days(-3)).stg("A", 2, on=days(-10))
    assert derive(registry)["stg_500"] is None


def test_a_stimulated_tg_that_cannot_be_read_is_not_the_deciding_one(derive: Derive) -> None:
    row = derive(metastatic().lab("A", "Tg", "??", "ng/mL", stimulated="yes"))
    assert (row["stg_row"], row["stg_date"], row["tgab_interference"]) == (None, None, None)


def test_the_deciding_pet_ct_is_unknown_where_the_index_date_is(derive: Derive) -> None:
    registry = metastatic().pet("A", days(-2), suv_max=9).treated("A", "2020-06")
    row = derive(registry)
    assert (row["fdg_uptake"], row["fdg_row"]) == (None, None)


def test_criterion_5_needs_a_lesion_at_every_course_that_may_have_passed_the_limit(
    derive: Derive,
) -> None:
    registry = Registry().patient("A").diagnosed("A").operated("A")
    registry.treated("A", activity=None).metastasis("A", "lung", days(50))
    registry.treated("A", days(100), activity=700, activity_unit="mCi")
    assert derive(registry)["criterion_5_state"] == "unknown"


def test_what_the_courses_are_set_aside_of_is_not_below_the_limit(derive: Derive) -> None:
    registry = Registry().patient("A").diagnosed("A").operated("A").metastasis("A", "lung")
    row = derive(registry, aside("i131_treatments", None))
    assert row["criterion_5_state"] == "unknown"


def test_no_lesion_is_a_reason_only_where_lesions_are_collected(derive: Derive) -> None:
    registry = Registry().patient("A").diagnosed("A").operated("A").treated("A", uptake="none")
    row = derive(registry, coverage={"metastases": "not_collected"})
    assert row["rrdtc_reason"] == "what is missing or was set aside may meet a criterion"


def test_without_courses_on_file_nothing_is_counted_from_one(derive: Derive) -> None:
    registry = Registry().patient("A").diagnosed("A").operated("A").metastasis("A", "lung")
    row = derive(registry, coverage={"i131_treatments": "not_collected"})
    assert (row["has_index"], row["rrdtc_met"]) == (None, None)
    assert (row["lung_timing"], row["thyroidectomy_before_index"]) == (None, None)
