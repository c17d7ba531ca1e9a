"""Writing what was made on local data: whole files, and no small number."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from flows.errors import told
from flows.night import private


def steps_shown(flow: Mapping[str, int], smallest: int) -> list[dict[str, Any]]:
    """Return the steps from all patients to those used; a step from which few were lost has no n.

    The count before such a step is left out too, from which the few could be had by subtraction.
    """
    shown: list[dict[str, Any]] = []
    later = None
    for step, n in reversed(list(flow.items())):
        is_shown = later is None or not 0 < n - later < smallest
        shown.append({"step": step, "n": n if is_shown else None})
        later = n if is_shown else later
    return shown[::-1]


def write_files(files: Mapping[str, str], folder: Path, umask: str) -> list[Path]:
    """Write files by name; each appears whole or not at all."""
    written = []
    with told(folder), private(umask):
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            path = folder / name
            aside = path.with_name(f".{name}.part")
            aside.write_text(text, "utf-8")
            aside.replace(path)
            written.append(path)
    return written


def as_json(content: Mapping[str, Any]) -> str:
    """Return what is said of a local model as JSON."""
    return json.dumps(content, indent=1, allow_nan=False, ensure_ascii=False) + "\n"
