from importlib.resources import files

import pytest
from pydantic import ValidationError

from models.spec import FLAGS, BadModelFile, by_outcome, library, parse
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
        ("value = 3,", "value = nan,", "male.effect: Value error, not a number"),
        ("points = { value = 2", "points = { value = 4", "cutoff.points: out of reach: write more"),
        ("points = { value = 2", "points = { value = 0", "cutoff.points: out of reach: write more"),
        ('value = "male"', 'value = "M"', "levels.M: sex is never that: write female, male"),
        ('feature = "sex"', 'feature = "sexe"', "sex.feature: no variable provides sexe: write"),
        ('needs = "sex"', 'needs = "sex"\nrow = "sex_row"', "no variable provides sex_row"),
        ('label = "Sex"', 'label = "Sex {stg_days}"', "predictors.sex.label: cannot fill in"),
        ('label = "Sex"', 'label = "Sex {"', "predictors.sex.label: cannot fill in"),
        ("eligibility = []", "eligibility = 3", "eligibility: Input should be"),
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


BAD_PIECES = [
    ("sex", 'value = "female"', 'value = "male"', "two levels have the same value: keep one"),
    ("sex", "value = 3.0", "value = 0", "ratio is above 0, not 0: write exp(coefficient)"),
    ("sex", "value = 3.0", "value = -2", "ratio is above 0, not -2: write exp(coefficient)"),
    ("years", "years = 5", "years = 3", "horizon 3 stands twice: keep one"),
    ("years", "value = 0.9982,", "value = 1.2,", "3.survival: Value error"),
    ("years", "interval = [0.9974, 0.9993]", "interval = [0.9974, 1.5]", "between 0 and 1"),
    ("rise", "value = 0.9949,", "value = 0.9985,", "the interval does not contain the value"),
    ("axis", "low = { value = 30,", "low = { value = 300,", "does not contain the value"),
    ("axis", "low = 20, high = 260", "low = 260, high = 20", "write low below high, not 260 to 20"),
    ("axis", "low = 20, high = 260", "low = 20, high = nan", "finite number"),
    ("name", 'name = "age_55"', 'name = "sex"', "predictor sex stands twice: keep one"),
    ("feature", 'feature = "age_55"', 'feature = "sex"', "of the variable sex stands twice"),
    ("example", 'uptake_category = "uptake"', 'uptake_category = "yes"', "example.uptake_category"),
    ("criterion", 'refuse = { false = "no 131I', 'refuse = { no = "no 131I', "gives no reason for"),
]


@pytest.mark.parametrize(("where", "old", "new", "complaint"), BAD_PIECES)
def test_a_bad_piece_of_a_real_model_is_refused_with_what_to_write(
    where: str, old: str, new: str, complaint: str
) -> None:
    text = (files("models.library") / "jin2025_os.toml").read_text()
    assert old in text, where
    with pytest.raises(BadModelFile) as refused:
        parse(text.replace(old, new, 1), "jin.toml")
    assert complaint in str(refused.value)
    assert all(line.startswith("jin.toml: ") for line in str(refused.value).splitlines())


def test_a_baseline_survival_that_rises_is_refused() -> None:
    text = (files("models.library") / "jin2025_os.toml").read_text()
    swapped = text.replace("years = 10\n", "years = 2\n")
    with pytest.raises(BadModelFile, match="survival rises from 2 to 3 years"):
        parse(swapped, "jin.toml")


def test_an_empty_axis_is_refused() -> None:
    text = (files("models.library") / "jin2025_os.toml").read_text()
    old = "low = { value = 0, status"
    assert old in text
    empty = text.replace("interval = [0, 0.5]", "interval = [0, 9]").replace(
        old, "low = { value = 6, status"
    )
    with pytest.raises(BadModelFile, match="the axis is empty: write low below high, not 6 to 5"):
        parse(empty, "jin.toml")


def test_a_file_that_is_not_text_is_refused() -> None:
    with pytest.raises(BadModelFile, match="not UTF-8"):
        parse(b"\xff\xfe", "toy.toml")


def test_each_outcome_has_the_model_that_decides_first() -> None:
    named = {outcome: [m.name for m in models] for outcome, models in by_outcome().items()}
    assert named == {
        "rrdtc": ["liu2022_score", "liu2022_nomogram"],
        "os": ["jin2025_os"],
        "pfs": ["jin2025_pfs"],
    }
    assert {m.flag for m in library().values()} == set(FLAGS.values())


REFUSED = [
    ("toy", "eligibility = []", '[[eligibility]]\nfeature = "nobody"\nrefuse = {}\nunknown = "u"\n'
     'needs = "n"\nsource = "s"\naccept = [true]', "eligibility.nobody.feature: no variable"),
    ("toy", "eligibility = []", '[[eligibility]]\nfeature = "dtc"\nrefuse = {}\nunknown = "u"\n'
     'needs = "n"\nsource = "s"', "eligibility.dtc: accepts nobody: write accept or minimum"),
    ("toy", "eligibility = []", '[[eligibility]]\nfeature = "dtc"\nrefuse = {}\nunknown = "u"\n'
     'needs = "n"\nsource = "s"\naccept = [true]', "eligibility.dtc.refuse: gives no reason for "
     "false"),
    ("toy", "eligibility = []", '[[eligibility]]\nfeature = "sex"\nrefuse = {}\nunknown = "u"\n'
     'needs = "n"\nsource = "s"\naccept = ["x"]', "sex is never x: write female, male"),
    ("toy", "eligibility = []", '[[developed_on]]\nfeature = "nobody"\nlabel = "l"\n',
     "developed_on.nobody.feature: no variable provides nobody"),
    ("toy", "eligibility = []", 'eligibility = []\n[example]\nsex = "M"\n',
     "example.sex: write one of female, male"),
    ("os", 'date = "nodule_date"', 'date = "nobody"', "nodule_cm.date: no variable"),
    ("os", 'feature = "nodule_cm"', 'feature = "histology"', "histology is no number"),
    ("os", "nodule_cm = ", 'nodule_cm = "x" #', "example.nodule_cm: write a number"),
    ("nomogram", '{ site_count = "multi" }', '{ site_count = "some" }', "no predictor site_count"),
    ("nomogram", "recurrence = { yes = { v", "nothing = { yes = { v", "no predictor nothing has"),
]  # fmt: skip


@pytest.mark.parametrize(("file", "old", "new", "complaint"), REFUSED, ids=lambda text: text[-30:])
def test_what_does_not_fit_the_variables_is_refused(
    file: str, old: str, new: str, complaint: str
) -> None:
    names = {"os": "jin2025_os.toml", "nomogram": "liu2022_nomogram.toml"}
    text = TOY if file == "toy" else (files("models.library") / names[file]).read_text()
    assert old in text
    with pytest.raises(BadModelFile) as refused:
        parse(_moved_last(text, old, new), "x.toml")
    assert complaint in str(refused.value)


def _moved_last(text: str, old: str, new: str) -> str:
    """Replace a line; tables go to the end, where they do not take over what follows."""
    if "[" in new and old == "eligibility = []":
        kept = "eligibility = []" if "eligibility]]" not in new else ""
        return text.replace(old, kept, 1) + new.replace("eligibility = []\n", "")
    return text.replace(old, new, 1)


@pytest.mark.parametrize("piece", [0, 1, 2, 3])
def test_a_model_once_read_stays_as_it_is(piece: int) -> None:
    model = library()["jin2025_os"]
    numeric = next(p for p in model.predictors if p.axis)
    pieces = (model, model.predictors[0], numeric.axis, model.baseline[0])
    one = pieces[piece]
    with pytest.raises(ValidationError, match="frozen"):
        setattr(one, next(iter(type(one).model_fields)), "other")
