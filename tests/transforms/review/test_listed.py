"""Who is on which list, who is not and why, and what places a patient."""

from datetime import date, timedelta
from typing import Any

import polars as pl
import pytest

from schemas.codes import LIST, URGENCY
from tests.transforms.review.rows import LAST_NIGHT, TONIGHT, Cells, reviewed, risk
from tests.transforms.review.worklist_examples import LIST_EXAMPLES, RULE_EXAMPLES, SAW, shown
from transforms.review.episode import NOTHING
from transforms.review.listing import RULES, Listing

DAY = timedelta(days=1)
MET: Cells = {"met": {2: date(2026, 6, 12)}}


def test_every_rule_and_list_has_an_example() -> None:
    assert tuple(RULE_EXAMPLES) == tuple(RULES) == URGENCY
    assert tuple(LIST_EXAMPLES) == LIST


@pytest.mark.parametrize("name", [*RULE_EXAMPLES, *LIST_EXAMPLES])
def test_the_example_of_the_manual_holds(name: str) -> None:
    example = (RULE_EXAMPLES | LIST_EXAMPLES)[name]
    assert shown(example.listed()) == example.gives


CLOSED: list[tuple[Cells, bool | None, str | None]] = [
    ({}, True, None),
    ({"died": True, "death_date": date(2019, 7, 7)}, False, "died 2019-07-07"),
    ({"died": True}, False, "died, day unknown"),
    ({"died": None}, None, None),
    ({"dtc": False, "histology": "MTC"}, False, "not DTC (MTC)"),
    ({"dtc": False}, False, "not DTC"),
    ({"dtc": None}, None, None),
    ({"disease": "no"}, False, "no disease known"),
    ({"disease": None}, None, None),
    (
        {"complete_response": "yes", "complete_response_since": date(2020, 1, 1)},
        False,
        "complete response since 2020-01-01",
    ),
    ({"complete_response": "yes"}, False, "complete response at the last assessment"),
    ({"complete_response": None}, None, None),
    ({"died": None, "disease": "no"}, False, "no disease known"),
    ({"met": {}}, True, NOTHING),
]
"""What differs from a patient to be followed, whether the episode is open, why not listed."""


@pytest.mark.parametrize(("cells", "is_open", "why_not"), CLOSED, ids=str)
def test_only_an_open_episode_is_listed_and_what_is_unknown_closes_none(
    cells: Cells, is_open: bool | None, why_not: str | None
) -> None:
    row = risk(MET | cells).row(0, named=True)
    assert (row["episode_open"], row["not_listed_reason"]) == (is_open, why_not)
    assert (row["list"] is None) is (why_not is not None)
    assert (row["why_lead"] is None) is (why_not is not None)


REVIEWED: list[tuple[str, dict[str, Any], str | None, str | None]] = [
    ("confirmed", {}, None, "reviewed 2026-06-29, nothing changed since"),
    ("dismissed", {}, None, "reviewed 2026-06-29, nothing changed since"),
    ("reopened", {}, "changed", None),
    ("deferred", {"deferred_until": date(2026, 7, 1)}, None, "deferred until 2026-07-01"),
    ("deferred", {"deferred_until": TONIGHT}, "due", None),
]
"""A decision, its day, the list, why not listed."""


@pytest.mark.parametrize(("decision", "cells", "which", "why_not"), REVIEWED, ids=str)
def test_a_review_closes_an_episode_until_it_is_reopened_or_due(
    decision: str, cells: dict[str, Any], which: str | None, why_not: str | None
) -> None:
    review = reviewed(SAW, decision=decision, **cells)
    row = risk(MET, last=risk(MET), reviews=review).row(0, named=True)
    assert (row["list"], row["not_listed_reason"]) == (which, why_not)
    closes = decision in ("confirmed", "dismissed")
    assert row["episode_open"] is not closes


def nights(cells: Cells, *days: date, **how: Any) -> list[pl.DataFrame]:
    """Return nights of these days: in the first nothing of `cells` is known."""
    found = [risk({"as_of": days[0]})]
    for day in days[1:]:
        found.append(risk(cells | {"as_of": day}, last=found[-1], **how))
    return found


FACTS: list[tuple[Cells, str, date | None]] = [
    (MET, "criterion", date(2026, 6, 12)),
    ({"met": {1: None}}, "criterion", None),
    ({"progressed": [("events", date(2008, 1, 1))]}, "progression", date(2008, 1, 1)),
    ({"rrdtc_flag": "high"}, "flag", date(2020, 6, 15)),
    ({"os_risk_group": "high"}, "flag", date(2020, 6, 15)),
    ({"pfs_risk_group": "high"}, "flag", date(2020, 6, 15)),
    (
        {"tg_doubling_months": 4.0, "tg_slope_n": 3, "tg_slope_from": date(2025, 1, 1)}
        | {"tg_slope_to": date(2026, 1, 1)},
        "result",
        date(2026, 1, 1),
    ),
]
"""What became known, the kind of the reason, its day."""


@pytest.mark.parametrize(("cells", "kind", "day"), FACTS, ids=str)
def test_what_becomes_known_is_new_for_ninety_days_from_the_night_that_knew_it(
    cells: Cells, kind: str, day: date | None
) -> None:
    knew = date(2026, 1, 2)
    days = (knew - DAY, knew, knew + 89 * DAY, knew + 90 * DAY)
    _, first, late, over = (night.row(0, named=True) for night in nights(cells, *days))
    assert (first["list"], first["known_since"]) == ("new", knew)
    assert (first["reason_kind"], first["reason_date"]) == (kind, day)
    assert (late["list"], late["known_since"]) == ("new", knew)
    assert (over["list"], over["known_since"]) == ("backlog", knew)


@pytest.mark.parametrize(("cells", "kind", "day"), FACTS, ids=str)
def test_nothing_is_new_in_the_first_night_nor_because_of_it(
    cells: Cells, kind: str, day: date | None
) -> None:
    first = risk(cells)
    second = risk(cells | {"as_of": TONIGHT + DAY}, last=first)
    for night in (first, second):
        assert night.select("list", "known_since").row(0) == ("backlog", None)


def test_a_night_of_an_earlier_version_is_a_baseline_too() -> None:
    night = risk(MET, last=risk({}).drop("known_facts"))
    assert night.select("list", "known_since").row(0) == ("backlog", None)


def test_a_patient_who_was_in_no_night_before_is_known_since_tonight() -> None:
    night = risk({}, MET, last=risk({}))
    assert night.select("list", "known_since").row(1) == ("new", TONIGHT)


def test_a_limit_of_the_settings_decides_what_is_new() -> None:
    brief = Listing(new_days=1)
    night = risk(MET | {"as_of": TONIGHT + DAY}, last=risk(MET, last=risk({})), listing=brief)
    assert night["list"].to_list() == ["backlog"]


def test_what_the_reviewer_could_know_is_not_new_and_what_came_after_is() -> None:
    before, knew = nights(MET, LAST_NIGHT, TONIGHT)
    next_day = MET | {"as_of": TONIGHT + DAY}
    seen = risk(next_day, last=knew, reviews=reviewed(SAW, on=TONIGHT))
    unseen = risk(next_day, last=knew, reviews=reviewed(SAW, on=LAST_NIGHT))
    assert before["list"].to_list() == [None]
    assert (seen["list"].to_list(), unseen["list"].to_list()) == ([None], ["new"])


def test_a_progression_after_the_review_brings_a_patient_back_who_met_a_criterion() -> None:
    old: Cells = {"rrdtc_met": True, "met": {2: date(2019, 3, 1)}}
    first = risk(old | {"as_of": LAST_NIGHT})
    later = old | {"progressed": [("imaging", date(2026, 6, 20))]}
    row = risk(later, last=first, reviews=reviewed(SAW)).row(0, named=True)
    assert (row["list"], row["reason_kind"], row["urgency_rule"]) == (
        "new",
        "progression",
        "progression",
    )


def test_a_progression_that_is_withdrawn_makes_no_older_one_new() -> None:
    older = {"progressed": [("events", date(2022, 1, 10))]}
    both = {"progressed": [*older["progressed"], ("imaging", date(2026, 6, 20))]}
    first = risk(older | {"as_of": LAST_NIGHT - DAY})
    second = risk(both | {"as_of": LAST_NIGHT}, last=first)
    third = risk(older, last=second)
    assert [night["list"].to_list() for night in (first, second, third)] == [
        ["backlog"],
        ["new"],
        ["backlog"],
    ]
    assert third["reason_date"].to_list() == [date(2022, 1, 10)]


HISTORY: list[Cells] = [
    {"rrdtc_flag": "high", "rrdtc_met": True},
    {"pfs_risk_group": "high", "pfs_event": True},
    {"os_risk_group": "high", "index_date": date(2016, 6, 30)},
    {"pfs_risk_group": "high", "index_date": date(2016, 6, 30)},
    {"rrdtc_flag": "indeterminate", "asks": ["fdg_uptake"], "rrdtc_met": True},
    {"pfs_risk_group": "indeterminate", "pfs_asks": ["histology_group"], "pfs_event": True},
    {"os_risk_group": "indeterminate", "os_asks": ["sex"], "index_date": date(2016, 6, 30)},
]


@pytest.mark.parametrize("cells", HISTORY, ids=str)
def test_what_is_history_lists_nobody(cells: Cells) -> None:
    assert risk(cells)["not_listed_reason"].to_list() == [NOTHING]


UNDECIDED: list[tuple[Cells, str | None, tuple[str, str | None, date | None]]] = [
    (
        {"rrdtc_flag": "indeterminate", "asks": ["fdg_uptake"], "possible": [5.0, 45.0]}
        | {"unused": [("fdg_uptake", date(2020, 7, 4)), ("fdg_uptake", date(2021, 1, 1))]},
        "5 or 45 points, undecided: the PET/CT came 19 days after first 131I",
        ("entry", "FDG PET/CT with SUVmax", date(2020, 6, 22)),
    ),
    (
        {"rrdtc_flag": "indeterminate", "asks": ["fdg_uptake"], "possible": [1.0, 5.0, 41.0, 45.0]},
        "1, 5, 41 or 45 points, undecided: not on file: FDG PET/CT with SUVmax",
        ("entry", "FDG PET/CT with SUVmax", date(2020, 6, 22)),
    ),
    (
        {"os_risk_group": "indeterminate", "os_asks": ["sex"]},
        "OS risk undecided: not on file: sex",
        ("entry", "sex", None),
    ),
    (
        {"rrdtc_flag": "indeterminate", "asks": ["metastatic"], "disease": None},
        "Unknown whether there is disease: not on file: metastasis sites, or their absence",
        ("entry", "metastasis sites, or their absence", date(2020, 6, 22)),
    ),
    (
        {"os_risk_group": "indeterminate", "os_asks": ["nodule_cm", "stg_500"]},
        None,
        ("entry", "stimulated Tg", date(2020, 6, 15)),
    ),
    (
        {"os_risk_group": "indeterminate", "os_asks": ["nodule_cm", "sex"]}
        | {"index_date": date(2026, 6, 15)},
        "OS risk undecided: CT with the lung nodule measured counts until 2026-07-15",
        ("examination", "CT with the lung nodule measured", date(2026, 7, 15)),
    ),
    (
        {"pfs_risk_group": "indeterminate", "pfs_asks": ["histology_group"], "histology": "OCA"},
        None,
        ("nothing", "the histology is known, and the model has no such class", None),
    ),
]
"""A patient, the reason, and what can be done: its kind, what, and until when."""


@pytest.mark.parametrize(("cells", "why", "todo"), UNDECIDED, ids=str)
def test_undecided_is_a_reason_only_where_one_request_can_be_met(
    cells: Cells, why: str | None, todo: tuple[str, str | None, date | None]
) -> None:
    row = risk(cells).row(0, named=True)
    assert row["review_reasons"] == ([] if why is None else [why])
    assert (row["todo_kind"], row["todo_what"], row["valid_until"]) == todo


@pytest.mark.parametrize("days", range(6, 10))
def test_a_window_is_closing_for_seven_days(days: int) -> None:
    index = TONIGHT + (days - 30) * DAY
    cells = {"os_risk_group": "indeterminate", "os_asks": ["nodule_cm"], "index_date": index}
    rule = "closing_window" if days <= 7 else "waiting"
    assert risk(cells)["urgency_rule"].to_list() == [rule]


STEEP: list[tuple[float | None, date, str | None]] = [
    (11.99, TONIGHT, "tg_rise"),
    (12.0, TONIGHT, None),
    (None, TONIGHT, None),
    (4.0, date(2025, 6, 30), "tg_rise"),
    (4.0, date(2025, 6, 29), "waiting"),
]


@pytest.mark.parametrize(("months", "last", "rule"), STEEP, ids=str)
def test_a_steep_rise_doubles_within_a_year_and_its_last_value_is_of_the_last(
    months: float | None, last: date, rule: str | None
) -> None:
    cells = {"tg_doubling_months": months, "tg_slope_n": 3, "tg_slope_to": last}
    row = risk(cells | {"tg_slope_from": date(2025, 1, 1)}).row(0, named=True)
    assert row["urgency_rule"] == rule


def test_a_criterion_without_a_day_says_what_it_is() -> None:
    row = risk({"met": {1: None}}).row(0, named=True)
    assert (row["why_lead"], row["why_rest"]) == (
        "Criterion 1, day unknown",
        "the lesions lost it",
    )


def test_what_is_new_leads_even_where_something_older_is_more_urgent() -> None:
    old: Cells = {"progressed": [("imaging", date(2026, 5, 1))]}
    row = risk(old | {"rrdtc_flag": "high"}, last=risk(old)).row(0, named=True)
    assert (row["list"], row["reason_kind"], row["urgency_rule"]) == ("new", "flag", "progression")
    assert [why.split(" on ")[0] for why in row["review_reasons"]] == [
        "Progression",
        "High RR-DTC risk at 131I",
    ]


@pytest.mark.parametrize("example", [*RULE_EXAMPLES.values(), *LIST_EXAMPLES.values()])
def test_a_sentence_has_at_most_85_characters_and_never_says_newly(example: Any) -> None:
    for _, _, why, _ in shown(example.listed()):
        assert len(why) <= 85
        assert "newly" not in why
