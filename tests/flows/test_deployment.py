"""The deployment of `prefect.yaml` runs as it is: its worker's environment says all."""

import os
import sqlite3
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import yaml

from flows.published.nights import nights
from tests.flows.conftest import PrefectHome
from tests.registry import AS_OF, Registry

ROOT = Path(__file__).parents[2]


def test_a_run_without_parameters_is_told_by_the_environment_and_named_by_its_date(
    tmp_path: Path, prefect_home: PrefectHome
) -> None:
    home = prefect_home(tmp_path / "prefect")
    (deployment,) = yaml.safe_load((ROOT / "prefect.yaml").read_text())["deployments"]
    assert deployment["entrypoint"] == "flows/prefect_flow.py:nightly"
    assert not deployment.get("parameters")
    export = Registry().usual("A", 62).write(tmp_path / "export")
    said = {"THYRISK_OUT": str(tmp_path / "out"), "PREFECT_HOME": str(home)}
    said["PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS"] = "120"
    before = datetime.now(UTC).date()
    untold, *_ = run(
        "print(nightly(return_state=True).message)",
        "os.environ['THYRISK_EXPORT'] = sys.argv[2]",
        "nightly(as_of=date.fromisoformat(sys.argv[1]), return_state=True).result()",
        export=export,
        **said,
    )
    assert untold.startswith("the night was not told export (THYRISK_EXPORT): give the deployment")
    (folder,) = nights(tmp_path / "out")
    assert folder.name == f"run_date={AS_OF}"
    with sqlite3.connect(home / "prefect.db") as db:
        names = [name for (name,) in db.execute("SELECT name FROM flow_run ORDER BY created")]
    today = {f"nightly-{day}" for day in (before, datetime.now(UTC).date())}
    assert names[0] in today
    assert names[1:] == [f"nightly-{AS_OF}"]


def run(*what: str, export: Path, **environment: str) -> list[str]:
    needed = "import os, sys; from datetime import date; from flows.prefect_flow import nightly"
    done = subprocess.run(
        [sys.executable, "-c", "; ".join([needed, *what]), str(AS_OF), str(export)],
        env=os.environ | environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.splitlines()
