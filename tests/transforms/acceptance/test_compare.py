"""How far a night is from those before, figure by figure."""

from datetime import date

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.published import Profile, columns_of
from tests.registry import Registry
from transforms.acceptance.compare import compare, flags_moved, judged, patients_moved, standing
from transforms.acceptance.profile import profile
from transforms.acceptance.tolerances import Tolerances

Figure = tuple[str, str, float, int]


def figures(*rows: Figure) -> pl.DataFrame:
    return pl.DataFrame(list(rows), schema=columns_of(Profile), orient="row")


def verdicts(tonight: pl.DataFrame, *before: pl.DataFrame) -> dict[str, str]:
    found = judged(compare(tonight, before), Tolerances()).filter(pl.col("verdict") != "fine")
    return dict(found.select("what", pl.col("verdict").cast(pl.String)).iter_rows())


@pytest.mark.parametrize(
    ("before", "tonight", "verdict"),
    [
        (("rows", "labs", 100, 100), ("rows", "labs", 96, 96), {}),
        (("rows", "labs", 100, 100), ("rows", "labs", 95, 95), {"rows_lost": "warned"}),
        (("rows", "labs", 100, 100), ("rows", "labs", 75, 75), {"rows_lost": "refused"}),
        (("rows", "labs", 8, 8), ("rows", "labs", 4, 4), {}),
        (("rows", "labs", 10, 10), ("rows", "labs", 5, 5), {"rows_lost": "refused"}),
        (("rows", "labs", 100, 100), ("rows", "labs", 160, 160), {"rows_gained": "warned"}),
        (("rows", "labs", 100, 100), ("rows", "labs", 300, 300), {"rows_gained": "refused"}),
        (("rows", "labs", 10, 10), ("rows", "labs", 40, 40), {}),
        (("rows_aside", "a", 0.01, 100), ("rows_aside", "a", 0.17, 100), {"rows_aside": "refused"}),
        (("rows_later", "a", 0, 100), ("rows_later", "a", 0.05, 100), {"rows_later": "warned"}),
        (("filled", "a.b", 0.1, 100), ("filled", "a.b", 0.04, 100), {"cells_emptied": "refused"}),
        (("filled", "a.b", 0.04, 100), ("filled", "a.b", 0, 100), {}),
        (("filled", "a.b", 0.9, 100), ("filled", "a.b", 0.7, 100), {"cells_emptied": "warned"}),
        (("filled", "a.b", 0.1, 100), ("filled", "a.b", 0.8, 100), {"cells_filled": "refused"}),
        (("quantile_50", "a.b", 3, 40), ("quantile_50", "a.b", 5.9, 40), {}),
        (("quantile_50", "a.b", 3, 40), ("quantile_50", "a.b", 6, 40), {"quantiles": "warned"}),
        (("quantile_50", "a.b", 3, 40), ("quantile_50", "a.b", 0.3, 40), {"quantiles": "refused"}),
        (("quantile_50", "a.b", 3, 40), ("quantile_50", "a.b", 0, 40), {"quantiles": "refused"}),
        (("quantile_50", "a.b", 0, 40), ("quantile_50", "a.b", 0, 40), {}),
        (("quantile_50", "a.b", 3, 19), ("quantile_50", "a.b", 300, 40), {}),
        (("newest", "a.b", 20_000, 30), ("newest", "a.b", 19_980, 30), {}),
        (("newest", "a.b", 20_000, 30), ("newest", "a.b", 19_960, 30), {"newest_back": "warned"}),
        (("newest", "a.b", 20_000, 30), ("newest", "a.b", 17_445, 3), {"newest_back": "refused"}),
        (("newest", "a.b", 20_000, 30), ("newest", "a.b", 20_900, 30), {}),
    ],
)  # fmt: skip
def test_each_change_warns_from_its_tolerance_and_refuses_from_the_other(
    before: Figure, tonight: Figure, verdict: dict[str, str]
) -> None:
    assert verdicts(figures(tonight), figures(before)) == verdict


def test_a_unit_never_seen_and_a_unit_gone_are_findings() -> None:
    before = figures(("unit", "a.b in mm", 0.5, 40), ("unit", "a.b in cm", 0.5, 40))
    only_cm = figures(("unit", "a.b in cm", 1.0, 40))
    assert verdicts(only_cm, before) == {"units": "refused", "unit_new_or_gone": "refused"}
    few = figures(
        ("unit", "a.b in mm", 0.46, 80),
        ("unit", "a.b in cm", 0.47, 80),
        ("unit", "a.b in m", 0.07, 80),
    )
    assert verdicts(few, before) == {"unit_new_or_gone": "warned"}


def test_the_night_before_is_the_median_of_several() -> None:
    nights = [figures(("rows", "labs", n, n)) for n in (100, 100, 40, 100, 100)]
    (found,) = (
        compare(figures(("rows", "labs", 98, 98)), nights).filter(what="rows_lost").to_dicts()
    )
    assert found["before"] == 100


def test_a_table_that_is_gone_has_lost_all_its_rows() -> None:
    assert verdicts(figures(), figures(("rows", "labs", 30, 30))) == {"rows_lost": "refused"}


def test_nothing_is_compared_with_no_night() -> None:
    assert compare(figures(("rows", "labs", 3, 3)), []).is_empty()
    assert judged(compare(figures(), []), Tolerances()).is_empty()


def test_patients_gone_and_new_are_told_apart() -> None:
    last, now = pl.Series([f"A{n}" for n in range(50)]), pl.Series([f"A{n}" for n in range(6, 90)])
    found = judged(patients_moved(now, last), Tolerances()).sort("what")
    assert found["tonight"].to_list() == [6, 40]
    assert found["verdict"].to_list() == ["refused", "warned"]


def test_flags_are_compared_class_by_class_among_the_patients_of_both_nights() -> None:
    ids = [f"A{n}" for n in range(40)]
    last = pl.DataFrame({"patient_id": ids, "rrdtc_flag": ["low"] * 20 + ["high"] * 20})
    now = pl.DataFrame(
        {"patient_id": ids[1:], "rrdtc_flag": ["high"] * 6 + ["low"] * 13 + ["high"] * 20}
    )
    (moved,) = judged(flags_moved(now, last), Tolerances()).to_dicts()
    assert moved["where"] == "rrdtc_flag low to high"
    assert (moved["tonight"], moved["before"]) == (6, 19)
    assert moved["verdict"] == "refused"


def test_what_stands_for_itself_has_no_night_before() -> None:
    found = judged(standing([("extraction_age", "manifest.json", 45)]), Tolerances())
    assert found["verdict"].to_list() == ["refused"]
    assert found["before"].to_list() == [None]


def test_part_of_a_tolerance_leaves_its_other_parts() -> None:
    asked = Tolerances.model_validate({"rows_lost": {"refuse": "never"}})
    assert asked.rows_lost.refuse is None
    assert asked.rows_lost.warn == Tolerances().rows_lost.warn
    assert asked.rows_gained == Tolerances().rows_gained


@settings(deadline=None, max_examples=30)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["rows", "filled", "unit", "quantile_50", "newest", "rows_aside"]),
            st.floats(0, 1e6),
            st.integers(0, 10**6),
        ),
        unique_by=lambda row: row[0],
    )
)
def test_a_night_like_the_one_before_is_fine(rows: list[tuple[str, float, int]]) -> None:
    same = figures(*((what, "somewhere", figure, of) for what, figure, of in rows))
    assert verdicts(same, same) == {}


def test_figures_are_counts_shares_quantiles_and_the_newest_date() -> None:
    registry = Registry()
    for n in range(10):
        registry.usual(f"P{n}").stg(f"P{n}", 10.0 * (n + 1))
    registry.add("labs", "P0", sample_date=date(2031, 1, 1), analyte="Tg", value=5, unit="ng/mL")
    registry.add("labs", "P0", sample_date=date(2020, 6, 1), analyte="other", value=5)
    registry.ct("P0", size=2, unit="mm")
    tables, aside = registry.read()
    rejected = pl.DataFrame(
        {
            "table": ["labs", "labs"],
            "cell": [None, None],
            "not_yet": [True, False],
        },
        schema_overrides={"cell": pl.String},
    )
    found = {
        (what, where): (figure, of) for what, where, figure, of in profile(tables, rejected).rows()
    }
    assert found["rows", "labs"] == (12, 12)
    assert found["rows_later", "labs"] == (pytest.approx(1 / 12), 12)
    assert found["quantile_50", "labs.value Tg in ng/mL"] == (55, 10)
    assert found["unit", "i131_treatments.activity in GBq"] == (1, 10)
    assert found["filled", "imaging.largest_lung_nodule"] == (1, 1)
    assert found["newest", "labs.sample_date"][0] == (date(2020, 6, 12) - date(1970, 1, 1)).days
    assert ("quantile_50", "imaging.largest_lung_nodule in mm") not in found
    assert aside.height == 1


def test_a_figure_says_of_how_many_it_is_and_none_is_of_fewer_than_five() -> None:
    registry = Registry()
    for n in range(12):
        registry.usual(f"P{n}").ct(f"P{n}", size=n + 1, unit="mm" if n < 5 else "cm")
        if n < 4:
            registry.pet(f"P{n}", suv_max=3)
    registry.add("patients", "P99", birth_date=date(1980, 1, 1), last_contact_date="2021-05")
    tables, _ = registry.read()
    rejected = pl.DataFrame(
        {
            "table": ["imaging", "imaging", "imaging", "patients", "labs"],
            "cell": [None, None, "suv_max", None, None],
            "not_yet": [False, True, False, False, False],
        },
        schema_overrides={"cell": pl.String},
    )
    found = {
        (what, where): (figure, of) for what, where, figure, of in profile(tables, rejected).rows()
    }
    nodule = "imaging.largest_lung_nodule"
    assert found["rows", "imaging"] == (18, 18)
    assert found["rows_aside", "imaging"] == (pytest.approx(1 / 18), 18)
    assert found["rows_later", "imaging"] == (pytest.approx(1 / 18), 18)
    assert found["rows", "patients"] == (13, 13)
    assert found["rows_aside", "patients"] == (pytest.approx(1 / 13), 13)
    assert found["rows", "labs"] == found["rows_aside", "labs"][::-1] == (1, 1)
    assert ("filled", "labs.value") not in found
    assert found["filled", "imaging.suv_max"] == (0.25, 16)
    assert found["filled", nodule] == (0.75, 16)
    assert found["filled", "patients.last_contact_date"] == (1, 13)
    assert found["unit", f"{nodule} in mm"] == (pytest.approx(5 / 12), 12)
    assert found["unit", f"{nodule} in cm"] == (pytest.approx(7 / 12), 12)
    for quantile, mm, cm in ((10, 1.4, 6.6), (50, 3, 9), (90, 4.6, 11.4)):
        assert found[f"quantile_{quantile}", f"{nodule} in mm"] == (pytest.approx(mm), 5)
        assert found[f"quantile_{quantile}", f"{nodule} in cm"] == (pytest.approx(cm), 7)
    assert ("quantile_50", "imaging.suv_max") not in found
    assert ("unit", "imaging.suv_max") not in found
    assert {what for what, where in found if where.startswith("reviews")} == set()
    assert not any("_id" in where or "patient_no" in where for _, where in found)
    contact = found["newest", "patients.last_contact_date"]
    assert contact == ((date(2026, 6, 30) - date(1970, 1, 1)).days, 13)


FIGURES = [
    ("quantile_50", 3.0, 0.0, ("quantiles", 1000.0)),
    ("quantile_10", 2.0, 8.0, ("quantiles", 4.0)),
    ("filled", 0.5, 0.4, ("cells_emptied", 0.2)),
    ("filled", 0.4, 0.5, ("cells_filled", 0.1)),
    ("newest", 100.0, 90.0, ("newest_back", 10.0)),
    ("rows_aside", 0.1, 0.4, ("rows_aside", 0.3)),
    ("unit", 0.0, 0.25, ("unit_new_or_gone", 0.25)),
    ("unit", 0.25, 0.0, ("unit_new_or_gone", 0.25)),
    ("unit", 0.25, 0.5, ("unit_new_or_gone", 0.0)),
    ("unit", 0.5, 0.25, ("units", 0.25)),
]


@pytest.mark.parametrize(("what", "before", "tonight", "found"), FIGURES, ids=str)
def test_how_far_a_figure_moved(
    what: str, before: float, tonight: float, found: tuple[str, float]
) -> None:
    changes = compare(
        figures((what, "a.b", tonight, 20)), [figures((what, "a.b", before, 40))]
    ).filter(what=found[0])
    assert changes["change"].to_list() == [pytest.approx(found[1])]


def test_of_newest_dates_the_newest_of_all_nights_is_the_one_before() -> None:
    nights = [figures(("newest", "a.b", day, 30)) for day in (10, 50, 20)]
    (found,) = compare(figures(("newest", "a.b", 20, 30)), nights).to_dicts()
    assert (found["before"], found["change"]) == (50, 30)


def test_a_figure_that_one_of_both_lacks_is_not_compared() -> None:
    one, other = figures(("filled", "a.b", 1, 30)), figures(("filled", "a.c", 1, 30))
    assert compare(one, [other]).is_empty()


def test_nobody_gone_and_nobody_new_is_no_change_also_from_nobody() -> None:
    nobody = pl.Series([], dtype=pl.String)
    found = patients_moved(pl.Series(["A"]), nobody)
    assert found.select("what", "tonight", "before", "change").rows() == [
        ("patients_gone", 0, 0, 0),
        ("patients_new", 1, 0, 0),
    ]
