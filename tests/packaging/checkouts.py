"""A clean repository to make a release from."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def clean_copy(copy: Path) -> Path:
    """Make a repository with the files of this one, as they are now."""
    listed = _git(ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    for name in listed.split("\0")[:-1]:
        # The sample export and the pictures are most of the bytes, and no part of a wheel.
        if (ROOT / name).is_file() and not name.startswith(("examples/", "docs/", "tests/")):
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, copy / name)
    _git(copy, "init", "--quiet")
    commit(copy)
    return copy


def commit(repository: Path) -> None:
    """Commit everything."""
    _git(repository, "add", "--all")
    author = ("-c", "user.name=nobody", "-c", "user.email=nobody@localhost")
    _git(repository, *author, "commit", "--quiet", "--message", "as it is")


def make(repository: Path, *what: str) -> subprocess.CompletedProcess[str]:
    """Run make there with this test's own interpreter as the virtual environment."""
    return subprocess.run(
        ["make", "--old-file=.venv/.run", *what, f"BIN={Path(sys.executable).parent}"],
        cwd=repository,
        env=os.environ | {"PIP_NO_INDEX": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


def _git(where: Path, *what: str) -> str:
    done = subprocess.run(["git", *what], cwd=where, check=True, capture_output=True, text=True)
    return done.stdout
