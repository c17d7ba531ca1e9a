"""The served page: for this machine alone, with a token, into the same append-only table."""

import http.client
import json
import shutil
import signal
import subprocess
import sys
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import sync_playwright

from flows.reviews import store
from flows.secrets import NO_KEYS
from tests.flows.reviews.conftest import HEADER, Desk, environment
from tests.registry import AS_OF

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here: `make browser`")

_DECIDES = """
document.getElementById("give").addEventListener("click", () => {
  const csv = `HEADER\\nA,DAY,MK,confirmed,,,\\nQ9,DAY,MK,confirmed,,,\\n`;
  const made = document.createElement("a");
  made.href = URL.createObjectURL(new Blob([csv]));
  made.download = "decisions-DAY.csv";
  made.click();
});
""".replace("HEADER", HEADER).replace("DAY", str(AS_OF))
PAGE = f"""<html><head><meta http-equiv="Content-Security-Policy" content="default-src 'none'; \
script-src 'sha256-{b64encode(sha256(_DECIDES.encode()).digest()).decode()}'; base-uri 'none'">\
</head><body>tonight<button id="give">Download</button><script>{_DECIDES}</script></body></html>"""
"""A page that downloads its decisions and may run no other script than its own."""


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
    (desk.out / "latest" / "report.html").write_text(PAGE)
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
    assert "tonight" in page
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
def test_what_the_page_would_download_is_sent_and_the_answer_is_told(
    served: Served, desk: Desk
) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        page = browser.new_page()
        told: list[str] = []
        page.on("dialog", lambda dialog: (told.append(dialog.message), dialog.dismiss()))
        page.on("console", lambda message: told.append(message.text))
        page.goto(f"http://{served.host}{served.path}")
        with page.expect_response("**/decisions") as answered:
            page.click("#give")
        assert answered.value.status == 422
        page.wait_for_function("true")
        browser.close()
    assert store.read(desk.warehouse, NO_KEYS)["patient_id"].to_list() == ["A"]
    lines = [line for text in told for line in text.splitlines()]
    assert "1 taken, 0 known before, 1 refused" in lines
    assert "line 3: patient_id: not in the newest night" in lines


def test_the_page_that_a_night_makes_can_be_served() -> None:
    (template,) = Path("flows/report").rglob("report.html.jinja")
    text = template.read_text("utf-8")
    assert text.count("default-src 'none';") == 1
    assert text.count("script-src ") == 1
    assert text.count("</head>") == 1
    assert "connect-src" not in text
