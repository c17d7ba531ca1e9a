"""Make docs/summary.svg, the picture in the README: the summary of the sample night."""

import re
import tempfile
from datetime import date
from pathlib import Path

from rich.console import Console

from flows.night import Job, run_night
from flows.settings import load_settings
from flows.summary import show
from transforms.mapping import Mapping

HERE = Path(__file__).parent

with tempfile.TemporaryDirectory() as folder:
    out = Path(folder) / "out"
    job = Job(
        HERE.parent / "examples" / "export",
        out,
        date(2026, 6, 30),
        out / "warehouse.duckdb",
        Mapping(),
        load_settings(None),
    )
    result = run_night(job)
result.folder = Path("out") / result.folder.name
console = Console(record=True, width=92, file=open("/dev/null", "w"))  # noqa: PTH123, SIM115
show(result, console)
svg = console.export_svg(title="make run")
# The fonts of the template are fetched from elsewhere; the reader's own do.
svg = re.sub(r"@font-face \{.*?\}", "", svg, flags=re.DOTALL)
svg = re.sub(r"<!-- Generated.*?-->", "", svg).replace("Fira Code", "DejaVu Sans Mono")
(HERE / "summary.svg").write_text(svg, "utf-8")
