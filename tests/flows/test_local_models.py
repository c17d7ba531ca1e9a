"""Local models in a night: scored beside the published ones, kept with the night, and no more."""

import json
import shutil
from collections.abc import Iterator
from datetime import timedelta
from importlib.resources import files
from io import StringIO
from pathlib import Path

import polars as pl
import pytest
from rich.console import Console

from flows.errors import NightRefused
from flows.job import Job
from flows.local.files import local_models
from flows.night import run_night
from flows.outputs import Result
from flows.published.verify import problems_of, remarks_on
from flows.secrets import NO_KEYS
from flows.settings import Settings
from flows.show.explain import explain
from models.spec import library
from tests.models.test_local import LOCAL
from tests.registry import AS_OF, COLLECTED, Registry


def own_model(name: str) -> str:
    """Return a local version of a published model in which men have another hazard ratio."""
    text = files("models.library").joinpath("jin2025_os.toml").read_text()
    text = text.replace('name = "jin2025_os"', f'name = "{name}"', 1)
    return (
        text.replace('value = 3.0, status = "published"', 'value = 9.0, status = "local"') + LOCAL
    )


def run(export: Path | None, out: Path, folder: Path | None) -> Result:
    settings = Settings(report=False, memory="4GB", local_models=folder)
    place = out / "warehouse.duckdb"
    return run_night(Job(export, out, AS_OF, place, COLLECTED, settings, NO_KEYS))


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Run the same export twice: with a local model into `out`, without into `plain`."""
    place = tmp_path_factory.mktemp("local")
    (place / "models").mkdir()
    (place / "models" / "os_here.toml").write_text(own_model("os_here"))
    registry = Registry()
    for patient, sex in (("A", "male"), ("B", "female")):
        registry.usual(patient, 62, sex=sex).metastasis(patient, "lung")
        registry.ct(patient).stg(patient, 100).treated(patient, AS_OF - timedelta(400), "none")
    export = registry.write(place / "export")
    run(export, place / "out", place / "models")
    run(export, place / "plain", None)
    yield place


def table(place: Path, out: str, name: str) -> pl.DataFrame:
    return pl.read_parquet(place / out / "latest" / f"{name}.parquet", hive_partitioning=False)


def test_it_has_its_rows_and_decides_nothing(place: Path) -> None:
    scores = table(place, "out", "model_scores")
    own = scores.filter(model="os_here").join(
        scores.filter(model="jin2025_os"), on="patient_id", suffix="_published"
    )
    men = own.filter(sex="male")
    assert men["survival_10y"][0] < men["survival_10y_published"][0]
    for name in ("patient_risk", "worklist", "needs", "registry_list", "qi_measures"):
        assert table(place, "out", name).equals(table(place, "plain", name)), name
    assert scores.filter(pl.col("model") != "os_here").equals(table(place, "plain", "model_scores"))
    assert table(place, "out", "predictors").filter(model="os_here").height == 2 * 7


def test_the_night_keeps_its_file_and_says_which_it_was(place: Path) -> None:
    folder = (place / "out" / "latest").resolve()
    kept = (folder / "local_os_here.toml").read_bytes()
    assert kept == (place / "models" / "os_here.toml").read_bytes()
    said = json.loads((folder / "run.json").read_text())
    assert said["models"].keys() == {*library(), "os_here"}
    assert problems_of(folder, NO_KEYS, None, place / "out" / "warehouse.duckdb") == []
    assert remarks_on(folder) == []
    assert said["run_id"] != json.loads((place / "plain/latest/run.json").read_text())["run_id"]


def test_another_file_in_a_night_s_folder_is_found(place: Path, tmp_path: Path) -> None:
    folder = tmp_path / f"run_date={AS_OF}"
    shutil.copytree((place / "out" / "latest").resolve(), folder)
    (folder / "local_os_here.toml").write_text(own_model("os_here").replace("9.0", "8.0"))
    problems = problems_of(folder, NO_KEYS)
    assert "local_*.toml: not the local models that run.json names" in problems
    (folder / "local_os_here.toml").unlink()
    assert "local_os_here.toml: missing" in problems_of(folder, NO_KEYS)


def test_a_past_night_is_run_again_with_the_models_that_it_had(place: Path, tmp_path: Path) -> None:
    shutil.copytree(place / "out", tmp_path / "out", symlinks=True)
    before = table(place, "out", "model_scores")
    run(None, tmp_path / "out", None)
    assert table(tmp_path, "out", "model_scores").equals(before)
    assert problems_of((tmp_path / "out" / "latest").resolve(), NO_KEYS) == []


def test_why_a_patient_has_that_score_is_explained(place: Path) -> None:
    said = StringIO()
    explain("A", place / "out", None, Console(file=said, width=200))
    assert "(os_here)" in said.getvalue()


def test_a_bad_file_refuses_the_night_with_its_place(place: Path, tmp_path: Path) -> None:
    (tmp_path / "bad.toml").write_text(own_model("os_here").replace("value = 9.0", "value = -9.0"))
    with pytest.raises(NightRefused, match=r"bad\.toml: .*predictor sex: an odds or hazard ratio"):
        run(place / "export", tmp_path / "out", tmp_path)
    with pytest.raises(NightRefused, match="is no folder: make it"):
        local_models(Settings(local_models=tmp_path / "nowhere"))
