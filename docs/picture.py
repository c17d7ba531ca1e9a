"""Make the pictures in the README and the manual from the showcase: `make pictures`.

`pictures.sha256` says of which page they are: a test compares it with the page as it is.
"""

import shutil
import tempfile
from hashlib import sha256
from pathlib import Path

HERE = Path(__file__).parent
SEEN = HERE / "pictures.sha256"
WIDTH, HEIGHT = 1280, 900


def looks() -> str:
    """Return the digest of what the page looks like: its styles, scripts and templates."""
    assets = sorted((HERE.parent / "flows" / "report" / "assets").iterdir())
    return sha256(b"".join(path.read_bytes() for path in assets)).hexdigest()


def screenshots(report: Path) -> None:
    """Photograph the report's first view and a patient's panel, as on the morning after."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
        page.clock.set_fixed_time("2026-07-01T07:30:00Z")
        page.goto(report.as_uri())
        page.screenshot(path=HERE / "report.png")
        page.locator(".card h3 a").first.click()
        page.screenshot(path=HERE / "patient.png")
        browser.close()


def main() -> None:
    """Run the nights that `make run` runs, and photograph the last."""
    from flows.synth.history import PATIENTS, SEED, run_history

    with tempfile.TemporaryDirectory() as folder:
        last = run_history(Path(folder) / "out", PATIENTS, SEED, lambda told: None)
        screenshots(last / "report.html")
    SEEN.write_text(f"{looks()}\n", "utf-8")


if __name__ == "__main__":
    main()
