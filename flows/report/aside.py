"""The report made aside: whatever becomes of it, the scored night stays."""

from dataclasses import asdict
from datetime import date
from pathlib import Path

from flows.errors import NightError, Unexpected, is_failure
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
    extracted_on: date | None,
) -> str | None:
    """Write report.html beside a night's tables; return why there is none, if there is none."""
    from flows.report.page import page  # only a night with a page needs its template

    run = json_ready(asdict(result) | {"extracted_on": extracted_on})
    try:
        (staged / PAGE).write_text(page(staged, run, past, settings, keys), "utf-8")
    except BaseException as error:
        if not is_failure(error):
            raise
        (staged / PAGE).unlink(missing_ok=True)
        said = type(error).__name__ if isinstance(error, NightError) else str(Unexpected(error))
        return said.partition(". ")[0]
    return None
