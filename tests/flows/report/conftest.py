import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from flows.job import Job
from flows.night import run_night
from flows.settings import Settings
from tests.flows.report.desk import listed, made, registry, write_desk
from tests.registry import AS_OF, COLLECTED

CHROMIUM = next((found for name in ("chromium", "chromium-browser", "google-chrome")
                 if (found := shutil.which(name))), None)  # fmt: skip
Open = Callable[..., Page]


@pytest.fixture(scope="module")
def desk_night(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a published night with a list of sixteen."""
    root = tmp_path_factory.mktemp("desk")
    warehouse = root / "out" / "warehouse.duckdb"
    settings = Settings(report=False)
    export = registry().write(root / "export")
    folder = run_night(Job(export, root / "out", AS_OF, warehouse, COLLECTED, settings)).folder
    write_desk(folder, listed())
    return folder


@pytest.fixture(scope="module")
def report(desk_night: Path) -> Path:
    return made(desk_night)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("no Chromium here: `make browser` installs Debian's")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        yield started
        started.close()


@pytest.fixture
def opens(browser: Browser) -> Iterator[Open]:
    """Open a page without a network, under its own policy; nothing may be fetched or fail."""
    contexts, problems = [], []

    def open_page(path: Path, init: str = "", **how: Any) -> Page:
        how = {"viewport": {"width": 1024, "height": 768}} | how
        context = browser.new_context(offline=True, **how)
        contexts.append(context)
        page = context.new_page()
        if init:
            page.add_init_script(init)
        page.clock.set_fixed_time("2026-06-30T07:30:00Z")
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("console", lambda message: problems.append(message.text))
        page.on("request", lambda r: None if r.url.startswith(_LOCAL) else problems.append(r.url))
        page.goto(path.as_uri())
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert problems == []


_LOCAL = ("file:", "blob:")
