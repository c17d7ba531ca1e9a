import json
import os
import subprocess
import sys
import venv
from dataclasses import dataclass
from pathlib import Path
from zipfile import ZipFile

import pytest

from tests.packaging.checkouts import clean_copy, commit, make

VERSION = "7.8.9"


def noted(folder: Path, heading: str = "## 7.8.9 (2026-06-30)") -> Path:
    """Make a clean checkout whose changelog has VERSION."""
    checkout = clean_copy(folder)
    changes = checkout / "CHANGELOG.md"
    first = f"{heading}\n\n- One thing.\n\n## 0"
    changes.write_text(changes.read_text("utf-8").replace("## 0", first, 1), "utf-8")
    commit(checkout)
    return checkout


@dataclass(frozen=True)
class Release:
    """A checkout that was released, and what was said."""

    checkout: Path
    told: str

    @property
    def wheel(self) -> Path:
        (wheel,) = (self.checkout / "dist").glob("*.whl")
        return wheel


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Release:
    checkout = noted(tmp_path_factory.mktemp("release") / "checkout")
    released = make(checkout, "release", f"VERSION={VERSION}")
    assert released.returncode == 0, released.stdout + released.stderr
    return Release(checkout, released.stdout)


@pytest.fixture
def installed(release: Release, tmp_path: Path) -> Path:
    """A virtual environment with the released wheel in it, and our dependencies but not us."""
    home = tmp_path / "installed"
    venv.create(home, with_pip=False)
    pip = [sys.executable, "-m", "pip", "--python", str(home / "bin/python"), "--quiet"]
    subprocess.run([*pip, "install", "--no-deps", "--no-index", str(release.wheel)], check=True)
    (site,) = home.glob("lib/python*/site-packages")
    # Of a folder named in a .pth file no further .pth is read: the editable install stays out.
    shared = [path for path in sys.path if path.endswith("site-packages")]
    (site / "dependencies.pth").write_text("\n".join(shared) + "\n")
    return home


def run(installed: Path, where: Path, *command: str) -> str:
    clean = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [str(installed / "bin" / command[0]), *command[1:]],
        cwd=where,
        env=clean,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_a_released_wheel_runs_a_night_far_from_the_checkout(
    installed: Path, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    ours = "import flows, models, schemas, transforms as t; print(flows.__file__, t.__file__)"
    for file in run(installed, elsewhere, "python", "-c", ours).split():
        assert Path(file).is_relative_to(installed)

    run(installed, elsewhere, "thyrisk", "synth", "--patients", "60", "--out", "export")
    night = ("--export", "export", "--out", "out", "--as-of", "2026-06-30", "--no-server")
    run(installed, elsewhere, "thyrisk", "nightly", *night)
    latest = elsewhere / "out" / "latest"
    assert "<svg" in (latest / "report.html").read_text("utf-8")
    assert json.loads((latest / "run.json").read_bytes())["versions"]["thyrisk"] == VERSION
    assert "intercept" in run(installed, elsewhere, "thyrisk", "models", "show", "liu2022_nomogram")


def test_a_wheel_has_every_file_of_the_packages_and_nothing_else(release: Release) -> None:
    packages = ("flows", "models", "schemas", "transforms")
    here = {
        str(path.relative_to(release.checkout))
        for package in packages
        for path in (release.checkout / package).rglob("*")
        if path.is_file()
    }
    with ZipFile(release.wheel) as archive:
        there = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert there == here
    assert {f"{package}/py.typed" for package in packages} <= there


def test_a_release_sets_the_version_and_shows_the_tag(release: Release) -> None:
    declared = (release.checkout / "pyproject.toml").read_text("utf-8").splitlines()
    assert f'version = "{VERSION}"' in declared
    assert f"thyrisk {VERSION}\n\n- One thing." in release.told
    assert "- The night:" not in release.told


def test_a_version_without_its_day_in_the_changelog_is_not_released(tmp_path: Path) -> None:
    checkout = noted(tmp_path / "checkout", heading="## 7.8.9 (unreleased)")
    released = make(checkout, "release", f"VERSION={VERSION}")
    assert released.returncode != 0
    assert "CHANGELOG.md has no '## 7.8.9 (YYYY-MM-DD)'" in released.stdout
    assert not (checkout / "dist").exists()


def test_changes_that_are_not_committed_are_not_released(tmp_path: Path) -> None:
    checkout = noted(tmp_path / "checkout")
    (checkout / "flows" / "new.py").write_text("")
    released = make(checkout, "release", f"VERSION={VERSION}")
    assert released.returncode != 0
    assert "commit them first" in released.stdout


@pytest.mark.parametrize("version", ["", "1.2", "v1.2.3", "1.2.3; true"])
def test_a_release_asks_for_a_version_of_three_numbers(version: str, tmp_path: Path) -> None:
    released = make(clean_copy(tmp_path / "checkout"), "release", f"VERSION={version}")
    assert released.returncode != 0
    assert "make release VERSION=1.2.3" in released.stdout
