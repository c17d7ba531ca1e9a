from importlib.resources import files

import pytest

from models.spec import BadModelFile, library, parse
from tests.models.test_engine import scored

TOY = """
name = "toy"
title = "A toy"
family = "points"
outcome = "os"
citation = "none"
doi = "none"
intended_use = "tests"
not_for = "patients"
cohort = "none"
eligibility = []
[cutoff]
high = ">="
points = { value = 2, status = "published", source = "here" }
[[predictors]]
name = "sex"
label = "Sex"
feature = "sex"
needs = "sex"
levels = [
  { value = "female", label = "f", effect = { value = 0, status = "published", source = "x" } },
  { value = "male", label = "m", effect = { value = 3, status = "published", source = "x" } },
]
"""


def test_a_new_model_is_a_file_and_nothing_else() -> None:
    man, woman = scored(parse(TOY, "toy.toml"), {"sex": "male"}, {"sex": "female"})
    assert (man["risk"], woman["risk"]) == ("high", "low")


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ('family = "points"', 'family = "tree"', "toy.toml: family"),
        ("value = 3,", "", "effect.value: Field required"),
        ('status = "published", source = "here"', 'status = "guessed", source = "here"', "status"),
        (
            'points = { value = 2, status = "published"',
            'points = { value = 2, status = "inferred"',
            "an inferred number needs an interval",
        ),
        ('value = "male"', 'value = "female"', "two levels have the same value"),
        ('needs = "sex"', 'needs = "sex"\nsurprise = 1', "surprise"),
        ('family = "points"', 'family = "cox"', "a Cox model needs a baseline survival"),
        ("[cutoff]", "[cutoff", "not TOML"),
    ],
)
def test_a_bad_model_file_says_what_is_wrong_and_where(old: str, new: str, complaint: str) -> None:
    assert old in TOY
    with pytest.raises(BadModelFile, match=complaint.replace(".", r"\.")):
        parse(TOY.replace(old, new, 1), "toy.toml")


def test_the_library_has_one_model_per_file() -> None:
    names = {p.name for p in files("models.library").iterdir() if p.name.endswith(".toml")}
    assert names == {f"{name}.toml" for name in library()}


def test_the_published_ratios_are_those_of_the_papers() -> None:
    def ratios(name: str) -> dict[str, float]:
        model = library()[name]
        found = {
            f"{p.name} {level.value}": level.effect.value
            for p in model.predictors
            for level in p.levels
            if level.effect.value != 1
        }
        return found | {p.name: p.per_unit.value for p in model.predictors if p.per_unit}

    assert ratios("jin2025_os") == {
        "sex male": 3.0,
        "age_55 yes": 4.7,
        "extent lung_and_other": 8.4,
        "stg_500 at_or_above": 4.4,
        "uptake_category secondary_nonuptake": 0.0955,
        "uptake_category uptake": 0.3172,
        "nodule_cm": 2.1,
        "activity_mci": 0.9825,
    }
    pfs = ratios("jin2025_pfs")
    assert (pfs["activity_mci"], pfs["histology_group PDTC"]) == (0.992, 4.8)
    assert pfs["uptake_category uptake"] == 0.553
    assert ratios("liu2022_nomogram") == {
        "age_48 yes": 1.037,
        "recurrence yes": 7.362,
        "site_count multi": 4.365,
        "fdg_uptake positive": 39.534,
    }


def test_what_the_papers_do_not_print_is_marked_inferred() -> None:
    models = library()
    assert models["liu2022_nomogram"].intercept.status == "inferred"  # type: ignore[union-attr]
    for name in ("jin2025_os", "jin2025_pfs"):
        assert {b.survival.status for b in models[name].baseline} == {"inferred"}
    pfs = {p.name: p for p in models["jin2025_pfs"].predictors}
    by_level = {lv.value: lv.effect.status for p in pfs.values() for lv in p.levels}
    assert by_level["FTC"] == by_level["secondary_nonuptake"] == "inferred"
