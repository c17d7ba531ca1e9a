"""Make a night's report in a process of its own: python -m flows.report, told what on stdin.

What draws its charts needs a large address space and may end the process; the night goes on.
Ends with 0, or with 1 and one line that quotes nothing.
"""

import base64
import json
import sys
from pathlib import Path
from typing import Any

from flows.errors import NightError, Unexpected, is_failure
from flows.report.page import page
from flows.secrets import Keys
from flows.settings import Settings


def main(told: dict[str, Any]) -> None:
    """Write report.html into the folder of the night."""
    folder = Path(told["folder"])
    past = [Path(name) for name in told["past"]]
    keys = Keys(*(None if key is None else base64.b64decode(key) for key in told["keys"]))
    made = page(folder, told["run"], past, Settings(**told["settings"]), keys)
    (folder / "report.html").write_text(made, "utf-8")


if __name__ == "__main__":
    try:
        main(json.load(sys.stdin))
    except BaseException as error:
        if not is_failure(error):
            raise
        said = type(error).__name__ if isinstance(error, NightError) else str(Unexpected(error))
        print(said.partition(". ")[0])  # noqa: T201 - to the night that asked
        sys.exit(1)
