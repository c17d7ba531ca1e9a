"""Make the pictures in the README and the manual from the showcase: `make pictures`."""

import shutil
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

from flows.synth.history import PATIENTS, SEED, run_history

HERE = Path(__file__).parent
WIDTH, HEIGHT = 1280, 900


def last_night(out: Path) -> Path:
    """Run the nights that `make run` runs; return the folder of the last."""
    return run_history(out, PATIENTS, SEED, lambda told: None)


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
    screenshots(last_night(Path(folder) / "out") / "report.html")
