"""The report made aside: whatever becomes of it, the scored night stays."""

import base64
import json
import os
import signal
import subprocess
import sys
from dataclasses import asdict
from datetime import date
from pathlib import Path

from flows.outputs import Result
from flows.published.write import json_ready
from flows.secrets import Keys
from flows.settings import Settings

PAGE = "report.html"


def write_report(
    staged: Path,
    result: Result,
    past: list[Path],
    settings: Settings,
    keys: Keys,
    extracted_on: date | None = None,
) -> str | None:
    """Write report.html beside a night's tables; return why there is none, if there is none."""
    told = {
        "folder": str(staged),
        "run": json_ready(asdict(result) | {"extracted_on": extracted_on}),
        "past": [str(folder) for folder in past],
        "settings": settings.model_dump(mode="json"),
        "keys": [_text(keys.pseudonym), _text(keys.encryption)],
    }
    done = subprocess.run(
        [sys.executable, "-P", "-m", "flows.report"],
        input=json.dumps(told),
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        check=False,
    )
    if done.returncode == 0:
        return None
    (staged / PAGE).unlink(missing_ok=True)
    if done.returncode < 0:
        return f"its process ended by {signal.Signals(-done.returncode).name}"
    return done.stdout.strip() or f"its process ended with {done.returncode}"


def _text(key: bytes | None) -> str | None:
    return None if key is None else base64.b64encode(key).decode()
