from importlib.resources import files
from itertools import product
from math import exp, log, prod
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.engine import score
from models.points import effects, on_possible_axes, points_per_unit
from models.reasons import HANGS, TOO_OPEN
from models.spec import Model, Predictor, library, parse
from models.windows import modified_windows
from schemas.features import FEATURES

MODELS = library()
ELIGIBLE: dict[str, Any] = {
    "dtc": True,
    "has_index": True,
    "thyroidectomy_before_index": True,
    "metastatic": True,
    "age_at_diagnosis": 40,
    "age_at_index": 41,
    "histology": "PTC",
    "lung_timing": "in_time",
}


def scored(model: Model | str, *patients: dict[str, Any]) -> list[dict[str, Any]]:
    """Score patients who are eligible unless they say otherwise."""
    model = MODELS[model] if isinstance(model, str) else model
    rows = [{"patient_id": str(n)} | ELIGIBLE | p for n, p in enumerate(patients)]
    return score(pl.DataFrame(rows, schema=FEATURES), model).to_dicts()


def liu(**values: str) -> dict[str, Any]:
    usual = {"age_48": "no", "recurrence": "no", "site_count": "single", "fdg_uptake": "negative"}
    return usual | values


@pytest.mark.parametrize(
    ("patient", "points"),
    [
        (liu(), 0),
        (liu(age_48="yes"), 1),
        (liu(recurrence="yes"), 7),
        (liu(site_count="multi"), 4),
        (liu(fdg_uptake="positive"), 40),
        (liu(age_48="yes", recurrence="yes", site_count="multi", fdg_uptake="positive"), 52),
    ],
)
def test_the_rrdtc_score_has_the_published_points(patient: dict[str, Any], points: int) -> None:
    (row,) = scored("liu2022_score", patient)
    assert (row["status"], row["points"]) == ("scored", points)


def test_high_risk_is_fdg_positive_or_recurrence_with_several_sites() -> None:
    every = [
        dict(zip(liu(), values, strict=True))
        for values in product(
            ("no", "yes"), ("no", "yes"), ("single", "multi"), ("negative", "positive")
        )
    ]
    for patient, row in zip(every, scored("liu2022_score", *every), strict=True):
        expected = patient["fdg_uptake"] == "positive" or (
            patient["recurrence"] == "yes" and patient["site_count"] == "multi"
        )
        assert row["risk"] == ("high" if expected else "low")


def test_the_rrdtc_probability_follows_from_the_odds_ratios_and_the_intercept() -> None:
    (row,) = scored("liu2022_nomogram", liu(age_48="yes", fdg_uptake="positive"))
    expected = 1 / (1 + exp(-(-1.72 + log(1.037) + log(39.534))))
    assert row["probability"] == pytest.approx(expected, abs=1e-12)
    assert row["probability_lower"] < expected < row["probability_upper"]


def test_one_unit_of_the_os_linear_predictor_is_25_75_points() -> None:
    assert points_per_unit(MODELS["jin2025_os"]) == pytest.approx(25.75, abs=0.005)


def jin(**values: Any) -> dict[str, Any]:
    usual = {"sex": "female", "age_55": "no", "extent": "lung", "activity_mci": 180.0}
    usual |= {"uptake_category": "primary_nonuptake", "nodule_cm": 0.8, "stg_500": "below"}
    return usual | {"histology_group": "PTC"} | values


def test_a_patient_at_every_reference_has_the_baseline_survival() -> None:
    for name in ("jin2025_os", "jin2025_pfs"):
        (row,) = scored(name, jin())
        for horizon in MODELS[name].baseline:
            assert row[f"survival_{horizon.years}y"] == pytest.approx(horizon.survival.value)


def test_a_hazard_ratio_is_the_power_of_the_survival() -> None:
    woman, man = scored("jin2025_os", jin(), jin(sex="male"))
    assert man["survival_10y"] == pytest.approx(woman["survival_10y"] ** 3.0)


@pytest.mark.parametrize(("activity", "extrapolated"), [(20.0, True), (30.0, False), (251.0, True)])
def test_outside_30_to_250_mci_is_scored_and_extrapolated(
    activity: float, extrapolated: bool
) -> None:
    (row,) = scored("jin2025_os", jin(activity_mci=activity))
    assert (row["status"], row["extrapolated"]) == ("scored", extrapolated)
    assert any("first 131I activity" in reason for reason in row["reasons"]) is extrapolated


def test_a_missing_pet_leaves_the_flag_open_and_asks_for_it() -> None:
    (row,) = scored("liu2022_score", liu(recurrence="yes") | {"fdg_uptake": None})
    assert (row["points_lower"], row["points_upper"], row["points"]) == (7, 47, None)
    assert (row["status"], row["risk"]) == ("bounded", "indeterminate")
    assert row["needs"] == ["FDG PET/CT within 7 days of the first 131I therapy"]
    assert row["needs_features"] == ["fdg_uptake"]


def test_only_what_could_settle_the_flag_is_asked_for() -> None:
    (row,) = scored("liu2022_score", liu() | {"fdg_uptake": None, "age_48": None})
    assert row["needs_features"] == ["fdg_uptake"]


def test_each_of_two_that_could_settle_it_is_asked_for() -> None:
    (row,) = scored("liu2022_score", liu() | {"recurrence": None, "site_count": None})
    assert row["risk"] == "indeterminate"
    assert set(row["needs"]) == {"recurrence history", "metastasis sites"}
    assert row["needs_features"] == ["recurrence", "site_count"]


def test_when_nothing_settles_it_alone_everything_missing_is_asked_for() -> None:
    gaps = dict.fromkeys(["sex", "age_55", "extent", "uptake_category", "stg_500"])
    (row,) = scored("jin2025_os", jin() | gaps)
    assert row["risk"] == "indeterminate"
    assert len(row["needs"]) == len(gaps)
    assert row["needs_features"] == sorted(gaps)


def test_a_flag_is_set_when_both_bounds_are_on_one_side() -> None:
    patient = liu(recurrence="yes", site_count="multi") | {"fdg_uptake": None}
    (row,) = scored("liu2022_score", patient)
    assert (row["status"], row["risk"], row["needs"]) == ("bounded", "high", [])


@pytest.mark.parametrize(
    ("model", "why", "reason"),
    [
        ("liu2022_score", {"dtc": False}, "not a differentiated thyroid cancer"),
        ("liu2022_score", {"has_index": False}, "no 131I therapy yet"),
        ("liu2022_score", {"metastatic": False}, "no metastasis known by the first 131I therapy"),
        ("jin2025_os", {"age_at_index": 17}, "younger than 18 years at the first 131I therapy"),
        ("jin2025_pfs", {"lung_timing": "none"}, "no lung metastasis"),
        (
            "jin2025_os",
            {"lung_timing": "late"},
            "lung metastasis found more than 6 months after the first 131I therapy",
        ),
    ],
)
def test_an_ineligible_patient_has_no_score_and_a_reason(
    model: str, why: dict[str, Any], reason: str
) -> None:
    (row,) = scored(model, liu() | jin() | why)
    assert (row["status"], row["risk"]) == ("ineligible", "not_applicable")
    assert row["reasons"] == [reason]
    assert row["points_lower"] is None


def test_unknown_eligibility_is_insufficient_and_says_what_it_waits_for() -> None:
    (row,) = scored("jin2025_os", jin(age_at_index=None))
    assert (row["status"], row["risk"]) == ("insufficient", "indeterminate")
    assert row["needs"] == ["birth date"]
    assert row["needs_features"] == ["age_at_index"]


def test_nothing_known_is_insufficient() -> None:
    (row,) = scored("liu2022_score", dict.fromkeys(liu(), None))
    assert (row["status"], row["reasons"]) == ("insufficient", ["no predictor is known"])
    assert row["points_upper"] is None


def value_of(predictor: Predictor) -> st.SearchStrategy[Any]:
    if predictor.levels:
        return st.sampled_from([level.value for level in predictor.levels])
    assert predictor.axis
    return st.floats(predictor.axis.low.value, predictor.axis.high.value)


def ends_of(predictor: Predictor) -> list[Any]:
    if predictor.levels:
        return [level.value for level in predictor.levels]
    assert predictor.axis
    return [predictor.axis.low.value, predictor.axis.high.value]


@settings(max_examples=20, deadline=None)
@given(st.data())
@pytest.mark.parametrize("name", list(MODELS))
def test_the_bounds_hold_and_are_reached_for_every_filling(name: str, data: st.DataObject) -> None:
    model = MODELS[name]
    known = {p.feature: data.draw(value_of(p)) for p in model.predictors}
    gaps = data.draw(st.lists(st.sampled_from(model.predictors), min_size=1, max_size=3))
    missing = {predictor.feature: predictor for predictor in gaps}
    if len(missing) == len(model.predictors):
        return
    inside = {f: data.draw(value_of(p)) for f, p in missing.items()}
    corners = [
        dict(zip(missing, corner, strict=True))
        for corner in product(*(ends_of(p) for p in missing.values()))
    ]
    partial, filled, *extremes = scored(
        model,
        known | dict.fromkeys(missing),
        known | inside,
        *(known | corner for corner in corners),
    )
    if partial["status"] == "insufficient":
        assert TOO_OPEN in partial["reasons"]
        return
    assert partial["points_lower"] - 1e-6 <= filled["points"] <= partial["points_upper"] + 1e-6
    reached = [row["points"] for row in extremes]
    assert min(reached) == pytest.approx(partial["points_lower"], abs=1e-6)
    assert max(reached) == pytest.approx(partial["points_upper"], abs=1e-6)
    if partial["risk"] in ("high", "low"):
        assert all(row["risk"] == partial["risk"] for row in [filled, *extremes])
    for horizon in model.baseline:
        column = f"survival_{horizon.years}y"
        if partial[f"{column}_lower"] is not None:
            assert partial[f"{column}_lower"] <= filled[column] <= partial[f"{column}_upper"]


@settings(max_examples=20, deadline=None)
@given(st.data())
@pytest.mark.parametrize("name", [name for name, m in MODELS.items() if on_possible_axes(m)])
def test_the_inferred_bounds_hold_on_every_axis_that_may_have_been_drawn(
    name: str, data: st.DataObject
) -> None:
    model = MODELS[name]
    known = {p.feature: data.draw(value_of(p)) for p in model.predictors}
    gap = data.draw(st.sampled_from(model.predictors))
    (row,) = scored(model, known | data.draw(st.sampled_from([{}, {gap.feature: None}])))
    if row["status"] == "insufficient":
        return
    risks = set()
    for other in [model, *on_possible_axes(model)]:
        (gap_there,) = [p for p in other.predictors if p.name == gap.name]
        fillings = ends_of(gap_there) if row["status"] == "bounded" else [known[gap.feature]]
        for filled in scored(other, *(known | {gap.feature: value} for value in fillings)):
            assert row["points_inferred_lower"] - 1e-6 <= filled["points"]
            assert filled["points"] <= row["points_inferred_upper"] + 1e-6
        (there,) = scored(other, known | ({gap.feature: None} if row["points"] is None else {}))
        risks.add(there["risk"])
    assert row["hangs_on_axis"] is (len(risks) > 1)
    assert (HANGS in row["reasons"]) is row["hangs_on_axis"]


def test_a_flag_between_two_possible_axes_hangs_on_them_and_stays_that_of_the_shipped() -> None:
    patient = jin(sex="male", age_55="yes", activity_mci=150.0)
    (row,) = scored("jin2025_os", patient | {"nodule_cm": 1.0})
    assert (row["points"] > 191, row["risk"]) == (True, "high")
    assert row["points_inferred_lower"] < 191 < row["points"] < row["points_inferred_upper"]
    assert row["hangs_on_axis"] is True


@settings(max_examples=20, deadline=None)
@given(st.data())
@pytest.mark.parametrize("name", list(MODELS))
def test_the_possible_points_are_those_of_every_filling(name: str, data: st.DataObject) -> None:
    model = MODELS[name]
    known = {p.feature: data.draw(value_of(p)) for p in model.predictors}
    gaps = data.draw(st.lists(st.sampled_from(model.predictors), max_size=3, unique=True))
    (row,) = scored(model, known | {p.feature: None for p in gaps})
    few = prod(len(p.levels) or 99 for p in gaps) <= 4
    if row["status"] not in ("scored", "bounded") or not few:
        assert row["points_possible"] is None
        return
    values = [[level.value for level in p.levels] for p in gaps]
    fillings = [
        {p.feature: value for p, value in zip(gaps, chosen, strict=True)}
        for chosen in product(*values)
    ]
    expected = {filled["points"] for filled in scored(model, *(known | f for f in fillings))}
    found = row["points_possible"]
    assert found == sorted(found)
    assert found == pytest.approx(sorted(expected), abs=2e-9)


@pytest.mark.parametrize(
    ("gaps", "status"),
    [
        (["fdg_uptake"], "bounded"),
        (["fdg_uptake", "site_count"], "bounded"),
        (["fdg_uptake", "recurrence"], "insufficient"),
    ],
)
def test_nine_tenths_of_52_points_open_is_no_answer(gaps: list[str], status: str) -> None:
    (row,) = scored("liu2022_score", liu() | dict.fromkeys(gaps))
    assert (row["status"], row["risk"]) == (status, "indeterminate")
    assert (row["points_upper"] is None) is (status == "insufficient")
    assert (TOO_OPEN in row["reasons"]) is (status == "insufficient")


def test_a_model_without_a_cut_off_is_judged_by_what_it_predicts() -> None:
    one, two = (
        scored("liu2022_nomogram", liu() | dict.fromkeys(gaps))[0]
        for gaps in (["fdg_uptake"], ["fdg_uptake", "recurrence"])
    )
    assert (one["status"], two["status"]) == ("bounded", "insufficient")
    assert one["probability_upper"] is not None and two["probability_upper"] is None


def test_a_prediction_that_could_be_anything_is_not_shown_though_the_flag_is() -> None:
    gaps = {"activity_mci": None, "nodule_cm": None}
    sick = jin(sex="male", age_55="yes", extent="lung_and_other", stg_500="at_or_above")
    (row,) = scored("jin2025_os", sick | gaps)
    assert (row["status"], row["risk"]) == ("bounded", "high")
    assert row["points_lower"] is not None
    assert row["survival_3y_lower"] is row["survival_3y_upper"] is None
    assert row["survival_10y_upper"] - row["survival_10y_lower"] < 0.9


@pytest.mark.parametrize(("side", "at", "above"), [(">=", "high", "high"), (">", "low", "high")])
def test_exactly_on_the_cut_off_is_high_only_where_the_file_says_so(
    side: str, at: str, above: str
) -> None:
    text = (files("models.library") / "liu2022_score.toml").read_text()
    text = text.replace('high = ">="', f'high = "{side}"').replace("value = 10,", "value = 11,")
    model = parse(text, "x.toml")
    on, one_more = scored(
        model,
        liu(recurrence="yes", site_count="multi"),
        liu(recurrence="yes", site_count="multi", age_48="yes"),
    )
    assert (on["points"], one_more["points"]) == (11, 12)
    assert (on["risk"], one_more["risk"]) == (at, above)


def test_other_windows_mark_the_model_and_stand_in_its_words() -> None:
    patient = {"patient_id": "x"} | ELIGIBLE | liu() | {"fdg_uptake": None}
    features, model = pl.DataFrame([patient], schema=FEATURES), MODELS["liu2022_score"]
    (same,) = score(features, model, {"fdg_days": 7, "stg_days": 99}).to_dicts()
    (other,) = score(features, model, {"fdg_days": 30}).to_dicts()
    assert (same["modified"], other["modified"]) == (False, True)
    assert other["needs"] == ["FDG PET/CT within 30 days of the first 131I therapy"]
    assert modified_windows(model, {"fdg_days": 30}) == {"fdg_days": (7, 30)}


def test_a_number_that_is_not_finite_is_missing() -> None:
    for value in (float("nan"), float("inf")):
        (row,) = scored("jin2025_os", jin(nodule_cm=value))
        assert (row["status"], row["points"]) == ("bounded", None)


@settings(max_examples=20, deadline=None)
@given(st.data())
@pytest.mark.parametrize("name", list(MODELS))
def test_points_rise_and_survival_falls_with_each_predictors_effect(
    name: str, data: st.DataObject
) -> None:
    model = MODELS[name]
    base = {p.feature: data.draw(value_of(p)) for p in model.predictors}
    predictor = data.draw(st.sampled_from(model.predictors))
    values = [data.draw(value_of(predictor)) for _ in range(2)]
    effect = effects(model, predictor)
    size = [effect.levels.get(v, effect.slope * v if effect.slope else 0) for v in values]
    rows = scored(model, *(base | {predictor.feature: value} for value in values))
    (low, lower), (high, higher) = sorted(zip(size, rows, strict=True), key=lambda pair: pair[0])
    assert low <= high
    assert lower["points"] <= higher["points"] + 1e-6
    for horizon in model.baseline:
        column = f"survival_{horizon.years}y"
        assert lower[column] >= higher[column] - 1e-12


def test_every_predictor_and_criterion_names_a_variable() -> None:
    for model in MODELS.values():
        for predictor in model.predictors:
            assert predictor.feature in FEATURES
            for name in (predictor.row, predictor.date):
                assert name is None or name in FEATURES
        for criterion in (*model.eligibility, *model.developed_on):
            assert criterion.feature in FEATURES


def test_levels_are_the_values_that_the_variables_have() -> None:
    for model in MODELS.values():
        for predictor in model.predictors:
            dtype = FEATURES[predictor.feature]
            if isinstance(dtype, pl.Enum):
                assert {level.value for level in predictor.levels} == set(dtype.categories)


def test_an_inferred_ratio_widens_the_predicted_survival_and_not_the_points() -> None:
    ptc, ftc = scored("jin2025_pfs", jin(), jin(histology_group="FTC"))
    low, high = 0.305, 1.443
    horizon = next(b.survival for b in MODELS["jin2025_pfs"].baseline if b.years == 10)
    assert ftc["survival_10y_lower"] == pytest.approx(horizon.bounds[0] ** high)
    assert ftc["survival_10y_upper"] == pytest.approx(horizon.bounds[1] ** low)
    assert ftc["points_lower"] == ftc["points_upper"] != ptc["points"]
