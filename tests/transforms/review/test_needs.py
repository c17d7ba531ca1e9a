"""What settles an undecided flag: an examination, an entry, or nothing any more; until when."""

from datetime import date, timedelta
from typing import Any

import polars as pl
import pytest

from models.spec import library
from schemas.published import Needs, PatientRisk, columns_of
from tests.transforms.review.rows import MODELS, derived, risk, scored
from transforms.review.needs import SETTLED_BY, needs, settling, with_needs
from transforms.variables.uptake import NO_CLASS
from transforms.variables.windows import Windows

INDEX = date(2020, 6, 15)
DAY = timedelta(days=1)
LONG_AFTER = date(2026, 6, 30)
Cells = dict[str, Any]


def asking(*features: str, model: str = "liu2022_score", risk: str = "indeterminate") -> Any:
    """Return scores in which one model asks for variables."""
    asked = pl.lit(list(features), dtype=pl.List(pl.String))
    all_scores = scored({})
    all_scores[model] = all_scores[model].with_columns(
        risk=pl.lit(risk).cast(all_scores[model].schema["risk"]), needs_features=asked
    )
    return all_scores


def needed(feature: str, windows: Windows | None = None, **cells: Any) -> Cells:
    """Return the need of a patient whose index date is INDEX, long after it unless said."""
    usual = {"index_date": INDEX, "as_of": LONG_AFTER, "died": False} | cells
    rows = needs(derived(usual), asking(feature), windows or Windows())
    return rows.row(0, named=True)


ENTRY: list[tuple[str, str, int | None, int | None]] = [
    ("dtc", "histology", None, None),
    ("histology_group", "histology (PTC, FTC or PDTC)", None, None),
    ("has_index", "the first 131I therapy", None, None),
    ("index_date", "the date of the first 131I therapy", None, None),
    ("thyroidectomy_before_index", "date of the thyroidectomy", None, 0),
    ("sex", "sex", None, None),
    ("age_48", "birth date and diagnosis date", None, None),
    ("age_55", "birth date", None, None),
    ("age_at_index", "birth date", None, None),
    ("recurrence", "recurrence before the first 131I therapy, or its absence", None, 0),
    ("metastatic", "metastasis sites, or their absence", None, 7),
    ("site_count", "metastasis sites", None, 7),
    ("lung_timing", "lung metastasis, or its absence", None, 183),
    ("extent", "metastasis sites", None, 183),
    ("fdg_uptake", "FDG PET/CT with SUVmax", -7, 7),
    ("activity_mci", "administered activity of the first 131I therapy", 0, 0),
    ("uptake_category", "reading of the post-therapy scans", None, None),
    ("nodule_cm", "largest lung nodule on CT", -90, 30),
    ("stg_500", "stimulated Tg", -30, 0),
]
"""Variable, what is to be entered, and the first and last day of it, from the index date."""


@pytest.mark.parametrize(("feature", "what", "first", "last"), ENTRY)
def test_long_after_an_old_result_is_entered_of_these_days(
    feature: str, what: str, first: int | None, last: int | None
) -> None:
    row = needed(feature)
    days = [None if n is None else INDEX + n * DAY for n in (first, last)]
    assert (row["feature"], row["kind"], row["what"]) == (feature, "entry", what)
    assert [row["valid_from"], row["valid_until"]] == days


def test_every_variable_that_a_model_asks_for_is_settled_by_something() -> None:
    asked = {
        asking.feature
        for model in library().values()
        for asking in (*model.predictors, *model.eligibility)
    }
    assert set(settling(Windows())) == {case[0] for case in ENTRY}
    assert asked <= set(settling(Windows()))


EXAMINATION = [
    ("fdg_uptake", "FDG PET/CT", 7),
    ("metastatic", "staging of metastases", 7),
    ("site_count", "staging of metastases", 7),
    ("lung_timing", "CT of the lung", 183),
    ("extent", "staging of metastases", 183),
    ("nodule_cm", "CT with the lung nodule measured", 30),
]


@pytest.mark.parametrize(("feature", "what", "last"), EXAMINATION)
def test_an_examination_counts_up_to_the_last_day_of_its_window(
    feature: str, what: str, last: int
) -> None:
    until = INDEX + last * DAY
    today = needed(feature, as_of=until)
    assert (today["kind"], today["what"], today["valid_until"]) == ("examination", what, until)
    assert needed(feature, as_of=until + DAY)["kind"] == "entry"


@pytest.mark.parametrize("feature", [case[0] for case in ENTRY])
def test_on_the_index_date_itself_only_these_can_be_examined(feature: str) -> None:
    kind = needed(feature, as_of=INDEX)["kind"]
    assert (kind == "examination") is (feature in {case[0] for case in EXAMINATION})


CANNOT: list[Cells] = [{"died": True}, {"index_date": None}]


@pytest.mark.parametrize("cells", CANNOT, ids=str)
def test_nobody_is_examined_who_died_or_whose_window_is_unknown(cells: Cells) -> None:
    row = needed("fdg_uptake", **({"as_of": INDEX} | cells))
    assert (row["kind"], row["what"]) == ("entry", "FDG PET/CT with SUVmax")


def test_who_may_have_died_can_be_examined() -> None:
    assert needed("fdg_uptake", as_of=INDEX, died=None)["kind"] == "examination"


NOTHING: list[tuple[str, Cells, str | None]] = [
    (
        "uptake_category",
        {"uptake_reason": NO_CLASS},
        "no uptake at first, uptake later: the model has no such class",
    ),
    ("uptake_category", {"uptake_reason": "no post-therapy scan was assessed"}, None),
    ("uptake_category", {"uptake_reason": None}, None),
    (
        "histology_group",
        {"histology": "OCA"},
        "the histology is known, and the model has no such class",
    ),
    ("histology_group", {"histology": None}, None),
    ("dtc", {"histology": "OCA"}, None),
]


@pytest.mark.parametrize(("feature", "cells", "why"), NOTHING, ids=str)
def test_what_no_model_has_a_class_for_nothing_can_settle(
    feature: str, cells: Cells, why: str | None
) -> None:
    row = needed(feature, **cells)
    assert row["kind"] == ("nothing" if why else "entry")
    if why:
        assert (row["what"], row["valid_from"], row["valid_until"]) == (why, None, None)


def test_windows_that_were_set_are_the_ones_that_are_said() -> None:
    windows = Windows(fdg_days=14, stg_days=10, lung_months=3, nodule_days_after=60)
    assert needed("fdg_uptake", windows)["valid_from"] == INDEX - 14 * DAY
    assert needed("fdg_uptake", windows)["valid_until"] == INDEX + 14 * DAY
    assert needed("stg_500", windows)["valid_from"] == INDEX - 10 * DAY
    assert needed("extent", windows)["valid_until"] == date(2020, 9, 15)
    assert needed("nodule_cm", windows)["valid_until"] == INDEX + 60 * DAY


@pytest.mark.parametrize("said", ["high", "low", "not_applicable"])
def test_a_flag_that_is_decided_needs_nothing(said: str) -> None:
    assert needs(derived({}), asking("sex", risk=said), Windows()).is_empty()


def test_a_need_of_several_models_is_one_row_that_names_them() -> None:
    both = asking("sex", "fdg_uptake") | {
        name: asking("sex", model=name)[name] for name in ("jin2025_os", "jin2025_pfs")
    }
    rows = needs(derived({"index_date": INDEX}), both, Windows())
    assert rows.schema == columns_of(Needs)
    assert rows.select("patient_id", "feature", "decides").rows() == [
        ("A", "fdg_uptake", ["liu2022_score"]),
        ("A", "sex", ["jin2025_os", "jin2025_pfs", "liu2022_score"]),
    ]
    assert set(MODELS) == set(both)


SPOKEN: list[tuple[str, Cells, str, str]] = [
    ("fdg_uptake", {"as_of": INDEX}, "needs_examination", "FDG PET/CT until 2020-06-22"),
    ("fdg_uptake", {}, "needs_entry", "FDG PET/CT with SUVmax of 2020-06-08 to 2020-06-22"),
    ("fdg_uptake", {"index_date": None}, "needs_entry", "FDG PET/CT with SUVmax"),
    (
        "activity_mci",
        {},
        "needs_entry",
        "administered activity of the first 131I therapy up to 2020-06-15",
    ),
    ("site_count", {}, "needs_entry", "metastasis sites up to 2020-06-22"),
    ("sex", {}, "needs_entry", "sex"),
    (
        "histology_group",
        {"histology": "OCA"},
        "needs_nothing",
        "the histology is known, and the model has no such class",
    ),
]


@pytest.mark.parametrize(("feature", "cells", "column", "words"), SPOKEN, ids=str)
def test_a_need_stands_in_words_in_the_column_of_its_kind(
    feature: str, cells: Cells, column: str, words: str
) -> None:
    usual = {"index_date": INDEX, "as_of": LONG_AFTER, "died": False} | cells
    found = needs(derived(usual), asking(feature), Windows())
    row = with_needs(risk(usual).drop(*SETTLED_BY), found).row(0, named=True)
    assert {name: row[name] for name in SETTLED_BY} == {
        name: [words] if name == column else [] for name in SETTLED_BY
    }


def test_needs_in_words_are_sorted_once_each_and_leave_other_patients_alone() -> None:
    usual = {"index_date": INDEX, "as_of": LONG_AFTER}
    found = needs(derived(usual), asking("sex", "age_55", "age_at_index"), Windows())
    rows = with_needs(risk({}, usual).drop(*SETTLED_BY).reverse(), found)
    assert rows.select("patient_id", "needs_entry").rows() == [
        ("B", []),
        ("A", ["birth date", "sex"]),
    ]
    assert set(columns_of(PatientRisk)) <= set(rows.columns)
