"""update and develop on a night, and the next night with what they made: as a user would."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

from flows.cli.thyrisk import app
from flows.errors import NightRefused, UsageError
from flows.job import Job
from flows.landmarks import Registry as Known
from flows.local.cohort import IMMORTAL, cohort
from flows.local.developing import AskedDevelopment, develop
from flows.local.updating import AskedUpdate, update_on_nights
from flows.local.writing import steps_shown
from flows.night import run_night
from flows.published.verify import problems_of
from flows.secrets import NO_KEYS
from flows.settings import Settings
from models.developed import candidates
from models.spec import library, parse
from tests.registry import AS_OF, COLLECTED, INDEX, Registry, born_for, days
from transforms.variables.windows import Windows

SECOND = 200
PATIENTS = 260


def registry() -> Registry:
    """Return patients of Jin's cohort who die often: men three times as often, sTg twice."""
    made, chance = Registry(), np.random.default_rng(11)
    for number in range(PATIENTS):
        male, old, high = (bool(one) for one in chance.integers(0, 2, 3))
        rate = 0.06 * 3.0**male * 2.0**high
        died = SECOND + 1 + int(365.25 * chance.exponential(1 / rate))
        last = min(died, SECOND + 200 + int(chance.integers(0, 1900)))
        dead = {"death_date": days(died)} if died == last else {}
        patient = f"P{number:03}"
        made.patient(
            patient,
            sex="male" if male else "female",
            birth_date=born_for(60 if old else 40, INDEX),
            last_contact_date=days(last),
            **dead,
        )
        made.diagnosed(patient).operated(patient)
        made.treated(patient, uptake=("none", "all")[number % 2])
        made.metastasis(patient, "lung").ct(patient, size=float(chance.uniform(0.2, 3)))
        made.stg(patient, 900 if high else 100)
        made.treated(patient, days(SECOND), ("none", "all")[number % 3 % 2])
    return made


@dataclass(frozen=True)
class Place:
    """A published night, what was made on it, and the night after with it."""

    root: Path
    said: str

    @property
    def out(self) -> Path:
        return self.root / "out"

    def json(self, name: str) -> dict[str, object]:
        return json.loads((self.root / "local" / name).read_text())  # type: ignore[no-any-return]

    def table(self, day: int, name: str) -> pl.DataFrame:
        folder = self.out / f"run_date={AS_OF + timedelta(day)}"
        return pl.read_parquet(folder / f"{name}.parquet", hive_partitioning=False)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    root = tmp_path_factory.mktemp("made")
    export, out = registry().write(root / "export"), root / "out"

    def night(day: int, local: Path | None) -> None:
        settings = Settings(report=False, memory="4GB", local_models=local)
        as_of = AS_OF + timedelta(day)
        run_night(Job(export, out, as_of, out / "warehouse.duckdb", COLLECTED, settings, NO_KEYS))

    night(0, None)
    few = ["--minimum-events", "60", "--out", str(out), "--to", str(root / "local")]
    of = "sex,age_55,stg_500,uptake_category,nodule_cm"
    asked = ["--outcome", "os", "--predictors", of, "--repeats", "5"]
    said = []
    for command in (["update", "jin2025_os"], ["develop", "os_here", *asked]):
        done = CliRunner().invoke(app, [*command, *few], catch_exceptions=False)
        assert done.exit_code == 0, done.output
        said.append(done.output)
    night(1, root / "local")
    yield Place(root, "\n".join(said))


def test_the_next_night_scores_what_was_made_and_flags_as_before(place: Place) -> None:
    scores = place.table(1, "model_scores")
    counts = dict(scores.group_by("model").len().iter_rows())
    assert counts == dict.fromkeys([*library(), "jin2025_os_local", "os_here"], PATIENTS)
    flags = ["rrdtc_flag", "os_risk_group", "pfs_risk_group", "os_survival_10y", "needs"]
    before, after = (place.table(day, "patient_risk").select(flags) for day in (0, 1))
    assert after.equals(before)
    folder = place.out / f"run_date={AS_OF + timedelta(1)}"
    assert problems_of(folder, NO_KEYS, None, place.out / "warehouse.duckdb") == []


def test_the_engine_gives_what_was_fitted(place: Place) -> None:
    said = place.json("os_here.json")
    ratios = {row["term"]: row["ratio"] for row in said["multivariable"]}  # type: ignore[attr-defined]
    own = place.table(1, "model_scores").filter(model="os_here", status="scored")
    model = parse((place.root / "local" / "os_here.toml").read_bytes(), "os_here.toml")
    assert {p.name for p in model.predictors} == {"sex", "stg_500"}
    start = next(b.survival.value for b in model.baseline if b.years == 3)
    worst = own.filter(sex="male", stg_500="at_or_above")["survival_3y"].unique().to_list()
    ratio = ratios["sex=male"] * ratios["stg_500=at_or_above"]
    assert worst == pytest.approx([start**ratio], abs=1e-9)
    assert 1.5 < ratios["sex=male"] < 6 and 1 < ratios["stg_500=at_or_above"] < 4


def test_the_update_says_what_changed_and_on_what(place: Place) -> None:
    said = place.json("update.json")
    assert said["change"] in ("intercept", "slope", "refit")
    assert said["tests"][0]["p_value"] < 0.05  # type: ignore[index]
    model = parse((place.root / "local" / "jin2025_os_local.toml").read_bytes(), "x.toml")
    assert model.local is not None and model.local.beside == "jin2025_os"
    assert model.local.events >= 60 and str(model.local.night) == str(AS_OF)
    assert all(one.survival.status == "local" for one in model.baseline)
    # Lung alone, nobody with other organs: that ratio stays the published one.
    assert said["kept_as_published"][0] == "extent=lung_and_other"  # type: ignore[index]
    organs = next(p for p in model.predictors if p.name == "extent").levels[1]
    assert (organs.effect.value, organs.effect.status) == (8.4, "published")


def test_the_report_has_its_tables_and_no_patient(place: Place) -> None:
    text = (place.root / "local" / "os_here.html").read_text()
    for words in ("Table 1.", "Univariable", "Proportional hazards", "optimism", "<svg", "ridge"):
        assert words in text
    for name in ("os_here.html", "os_here.json", "os_here.toml", "update.json"):
        assert "P0" not in (place.root / "local" / name).read_text(), name
    assert (place.root / "local" / "os_here.toml").stat().st_mode & 0o077 == 0
    assert "changed:" in place.said and "C-index:" in place.said


def test_the_card_shows_both(place: Place) -> None:
    file = str(place.root / "local" / "jin2025_os_local.toml")
    card = CliRunner().invoke(app, ["models", "show", file], catch_exceptions=False).output
    assert "## Beside `jin2025_os`" in card and "of 2026-06-30" in card


def known() -> Known:
    made = registry()
    tables, aside = made.read()
    names = tables["patients"].select("patient_no", "patient_id")
    return Known(made.record(), aside.lazy(), Windows(), names)


KNOWN = known()
OS = library()["jin2025_os"]


def test_too_few_events_are_refused_in_the_words_of_the_minimum(tmp_path: Path) -> None:
    words = r"too few events: \d+, at least 500 advised; nothing was"
    with pytest.raises(NightRefused, match=f"{words} updated"):
        update_on_nights(OS, KNOWN, tmp_path, AskedUpdate("x", minimum_events=500))
    asked = AskedDevelopment("x", "os", ("sex",), minimum_events=500)
    with pytest.raises(NightRefused, match=f"{words} developed"):
        develop(KNOWN, tmp_path, asked)


@pytest.mark.parametrize(
    ("asked", "complaint"),
    [
        (AskedDevelopment("x", "death", ("sex",)), "--outcome death: want os, pfs, rrdtc"),
        (AskedDevelopment("x", "os", ()), "--predictors: name some"),
        (
            AskedDevelopment("x", "os", ("shoe_size",)),
            "no predictor shoe_size; known: activity_mci",
        ),
        (AskedDevelopment("x", "os", ("sex",), like="liu2022_score"), "no prediction of os"),
    ],
)
def test_what_cannot_be_developed_is_said(
    asked: AskedDevelopment, complaint: str, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match=complaint):
        develop(KNOWN, tmp_path, asked)


def test_a_points_score_is_not_updated(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="update its nomogram instead"):
        update_on_nights(library()["liu2022_score"], KNOWN, tmp_path, AskedUpdate("x"))


def test_the_paper_s_way_is_warned_of_and_its_clock_starts_at_the_first_course() -> None:
    wanted = candidates(OS, ["sex"])
    landmark = cohort(OS, wanted, KNOWN, "landmark", None)
    paper = cohort(OS, wanted, KNOWN, "paper", None)
    assert landmark.watched.entry.min() == pytest.approx(SECOND / 365.25)
    assert paper.watched.entry.max() == 0
    assert (landmark.warnings, paper.warnings) == ((), (IMMORTAL,))
    assert landmark.watched.time == pytest.approx(paper.watched.time)


def test_a_step_that_lost_few_hides_the_count_before_it() -> None:
    told = steps_shown({"all": 500, "eligible": 103, "followed": 101, "complete": 100}, 5)
    assert [row["n"] for row in told] == [500, None, None, 100]


LIU = library()["liu2022_nomogram"]


def liu_registry() -> Known:
    """Return patients with metastases: FDG-positive ones progress far more often."""
    made, chance = Registry(), np.random.default_rng(3)
    for number in range(160):
        positive, recurred = (bool(one) for one in chance.integers(0, 2, 2))
        met = chance.uniform() < 0.15 + 0.5 * positive
        patient, last = f"Q{number:03}", 300 + int(chance.integers(0, 2500))
        made.usual(patient, 60 if number % 4 else 40, last_contact_date=min(days(last), AS_OF))
        made.metastasis(patient, "lung").pet(patient, suv_max=6.0 if positive else 1.0)
        if recurred:
            made.event(patient, "recurrence", days(-30))
        if met:
            made.event(patient, "progression", days(8 + int(chance.integers(0, 290))))
    tables, aside = made.read()
    names = tables["patients"].select("patient_no", "patient_id")
    return Known(made.record(), aside.lazy(), Windows(), names)


def test_rr_dtc_is_updated_and_developed_within_five_years_of_the_first_course(
    tmp_path: Path,
) -> None:
    registry_ = liu_registry()
    who = cohort(LIU, candidates(LIU, ["fdg_uptake"]), registry_, "landmark", 5.0)
    assert who.weight is not None and (who.weight == 0).any() and who.weight.max() > 1
    done = update_on_nights(LIU, registry_, tmp_path, AskedUpdate("rr", minimum_events=20))
    assert done.model is not None and done.model.intercept is not None
    assert done.model.intercept.status == "local" and done.model.cutoff is None
    names = ("age_48", "recurrence", "site_count", "fdg_uptake")
    asked = AskedDevelopment("rr", "rrdtc", names, minimum_events=20, repeats=4)
    made = develop(registry_, tmp_path, asked)
    assert "fdg_uptake" in {p.name for p in made.model.predictors}
    assert made.model.cutoff is not None and made.model.cutoff.high == ">="
    # Nobody had several sites: one level makes no difference.
    assert made.content["levels_left_out"] == ["site_count=multi", "site_count"]
    again = develop(registry_, tmp_path, asked)
    assert (again.toml, again.content) == (made.toml, made.content)
