"""The served page: for this machine alone, with a token, into the same append-only table."""

import http.client
import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlsplit

import polars as pl
import pytest
from playwright.sync_api import sync_playwright

from flows.reviews import store
from flows.secrets import NO_KEYS
from tests.flows.reviews.conftest import HEADER, Desk, environment, listed
from tests.registry import AS_OF

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here: `make browser`")


@dataclass
class Served:
    """A running `thyrisk review serve`."""

    process: "subprocess.Popen[str]"
    host: str
    path: str

    def ask(
        self, method: str, path: str, body: str | None = None, **headers: str
    ) -> tuple[int, str]:
        connection = http.client.HTTPConnection(self.host, timeout=60)
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    def decide(self, *lines: str, **headers: str) -> tuple[int, str]:
        return self.ask("POST", f"{self.path}decisions", "\n".join([HEADER, *lines]), **headers)


@pytest.fixture
def served(desk: Desk) -> Iterator[Served]:
    desk.night(AS_OF + timedelta(days=1), report=True)
    with subprocess.Popen(
        [sys.executable, "-m", "flows.cli.thyrisk", "review", "serve", "--port", "0"]
        + ["--out", str(desk.out)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(),
    ) as process:
        assert process.stdout is not None
        address = urlsplit(process.stdout.readline().strip())
        yield Served(process, address.netloc, address.path)
        process.kill()


def test_a_decision_made_on_the_page_is_kept_and_ctrl_c_ends_the_server(
    served: Served, desk: Desk
) -> None:
    status, page = served.ask("GET", served.path)
    assert status == 200
    assert "thyrisk" in page
    assert "window.thyriskSend" in page
    assert "default-src 'none'; connect-src 'self' blob:;" in page
    status, answer = served.decide(f"A,{AS_OF},MK,confirmed,,,", f"Q9,{AS_OF},MK,confirmed,,,")
    assert status == 422
    assert json.loads(answer) == {
        "taken": 1,
        "known": 0,
        "refused": 1,
        "lines": [{"line": 3, "cell": None, "why": "patient_id: not in the newest night"}],
    }
    kept = store.read(desk.warehouse, NO_KEYS)
    assert kept.select("patient_id", "source").rows() == [("A", "page")]
    status, answer = served.decide(f"A,{AS_OF},MK,confirmed,,,")
    assert (status, json.loads(answer)["known"]) == (200, 1)
    served.process.send_signal(signal.SIGINT)
    out, err = served.process.communicate(timeout=60)
    assert served.process.returncode == 130
    assert (out + err).startswith("thyrisk: stopped by SIGINT; nothing is left half done")
    assert store.read(desk.warehouse, NO_KEYS).height == 1


def test_without_the_token_from_elsewhere_or_by_another_name_nothing_is_answered(
    served: Served, desk: Desk
) -> None:
    guess = "/" + "x" * (len(served.path) - 2) + "/"
    assert served.ask("GET", "/") == (404, "Not Found")
    assert served.ask("GET", guess)[0] == 404
    assert served.ask("GET", served.path, Host="evil.example")[0] == 404
    assert served.ask("GET", f"{served.path}../../etc/passwd")[0] == 404
    line = f"A,{AS_OF},MK,confirmed,,,"
    assert served.decide(line, Origin="http://evil.example")[0] == 404
    assert served.ask("POST", f"{guess}decisions", f"{HEADER}\n{line}")[0] == 404
    assert served.ask("PUT", f"{served.path}decisions", line)[0] == 501
    too_long = {"Content-Length": "5000001"}
    assert served.ask("POST", f"{served.path}decisions", None, **too_long)[0] == 413
    assert desk.kept() == []


def test_a_night_without_a_page_cannot_be_served(desk: Desk) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "flows.cli.thyrisk", "review", "serve", "--out", str(desk.out)],
        capture_output=True,
        text=True,
        check=False,
        env=environment(),
    )
    assert done.returncode == 2
    assert "no report.html in the newest night" in done.stderr


@needs_chromium
def test_a_decision_made_on_the_page_is_back_in_the_next_night(served: Served, desk: Desk) -> None:
    first, *others = listed_last(desk)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        page = browser.new_page()
        problems: list[str] = []
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.goto(f"http://{served.host}{served.path}")
        answer = page.get_by_role("group", name=f"Your answer on {first}")
        answer.get_by_role("button", name="Confirm").click()
        page.fill("#reviewer", "MK")
        page.get_by_role("button", name="Hand in").click()
        page.get_by_text("1 taken, 0 refused").wait_for()
        browser.close()
    assert problems == []
    kept = store.read(desk.warehouse, NO_KEYS)
    assert kept.select("patient_id", "reviewer", "source").rows() == [(first, "MK", "page")]
    assert listed(desk.night(AS_OF + timedelta(days=2))) == others


def listed_last(desk: Desk) -> list[str]:
    worklist = pl.read_parquet(desk.out / "latest" / "worklist.parquet", hive_partitioning=False)
    return worklist["patient_id"].to_list()
