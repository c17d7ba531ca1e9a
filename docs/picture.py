"""Make the pictures in the README and the manual from the sample night: `make pictures`."""

import shutil
import tempfile
from datetime import date
from pathlib import Path

from playwright.sync_api import sync_playwright

from flows.job import Job
from flows.night import run_night
from flows.outputs import Result
from flows.settings import load_settings
from transforms.reading.mapping import Mapping

HERE = Path(__file__).parent
WIDTH, HEIGHT = 1280, 900


def sample_night(out: Path) -> Result:
    """Run the night that `make run` runs."""
    export, warehouse = HERE.parent / "examples" / "export", out / "warehouse.duckdb"
    settings = load_settings(None)
    return run_night(Job(export, out, date(2026, 6, 30), warehouse, Mapping(), settings))


def screenshots(report: Path) -> None:
    """Photograph the report's first view and a patient's panel."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
        page.goto(report.as_uri())
        page.screenshot(path=HERE / "report.png")
        page.locator(".card h3 a").nth(3).click()
        page.screenshot(path=HERE / "patient.png")
        browser.close()


with tempfile.TemporaryDirectory() as folder:
    night = sample_night(Path(folder) / "out")
    screenshots(night.folder / "report.html")
