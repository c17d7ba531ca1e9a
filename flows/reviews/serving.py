"""A page server for one reviewer on this machine: the newest report, and what is decided on it.

It listens on 127.0.0.1, answers only to an address with its token, and writes nothing but the
append-only table. No address holds data of a patient, and nothing is logged.

    GET  /TOKEN/           the newest night's report.html
    POST /TOKEN/decisions  decisions as CSV, as the page downloads them; the answer is JSON:
                           taken, known, refused, lines (line, cell, why)

What the page would download it hands in with `thyriskSend(csv)`, a promise of that answer.
"""

import base64
import hashlib
import hmac
import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from flows.disk import in_memory
from flows.errors import NightError, UsageError, is_failure
from flows.published.nights import nights
from flows.reviews.importing import Desk, take

LOCALHOST = "127.0.0.1"
REPORT = "report.html"
DECISIONS = "decisions"
_MOST_BYTES = 5_000_000
_HEAD = "</head>"
_SCRIPT = f"""
window.thyriskSend = async (csv) => {{
  const answer = await fetch("{DECISIONS}", {{
    method: "POST", headers: {{"Content-Type": "text/csv"}}, body: csv}});
  if (!answer.ok && answer.status !== 422) throw new Error(await answer.text());
  return answer.json();
}};
"""
_CLOSED = "default-src 'none';"
_OPEN_TO_US = f"{_CLOSED} connect-src 'self' blob:;"
_SCRIPTS, _ANY_SCRIPT = "script-src ", "script-src 'unsafe-inline'"
_HASH = base64.b64encode(hashlib.sha256(_SCRIPT.encode()).digest()).decode()


class Server(ThreadingHTTPServer):
    """Serves the report of a desk and takes decisions, until it is told to stop."""

    daemon_threads = False  # a decision that is being written is written to its end

    def __init__(self, desk: Desk, port: int) -> None:
        super().__init__((LOCALHOST, port), _Handler)
        self.desk = desk
        self.token = secrets.token_urlsafe(24)

    @property
    def address(self) -> str:
        """Where the page is."""
        return f"http://{LOCALHOST}:{self.server_address[1]}/{self.token}/"


@contextmanager
def serving(desk: Desk, port: int = 0) -> Iterator[Server]:
    """Open a server. Raises UsageError where there is no page to serve, or the port is taken."""
    _page(desk.out)
    try:
        server = Server(desk, port)
    except OSError as error:
        raise UsageError(f"port {port} cannot be used ({error.strerror}); give --port") from error
    with server:
        yield server


def _page(out: Path) -> bytes:
    """Return the newest report, with the way to send decisions. Raises UsageError."""
    folders = nights(out)
    report = folders[-1] / REPORT if folders else None
    if report is None or not report.is_file():
        raise UsageError(
            f"no {REPORT} in the newest night of {out}: an encrypted night has none, nor one with "
            f"report = false"
        )
    text = report.read_text("utf-8").replace(_CLOSED, _OPEN_TO_US, 1)
    if _ANY_SCRIPT not in text:
        text = text.replace(_SCRIPTS, f"{_SCRIPTS}'sha256-{_HASH}' ", 1)
    return text.replace(_HEAD, f"<script>{_SCRIPT}</script>{_HEAD}", 1).encode()


class _Handler(BaseHTTPRequestHandler):
    server: Server
    server_version = "thyrisk"
    sys_version = ""
    timeout = 30

    def do_GET(self) -> None:
        """Answer with the page."""
        if not self._is_for("/"):
            return self._refuse(HTTPStatus.NOT_FOUND)
        try:
            return self._answer(HTTPStatus.OK, "text/html; charset=utf-8", _page(self._desk.out))
        except NightError as error:
            return self._answer(HTTPStatus.SERVICE_UNAVAILABLE, "text/plain", str(error).encode())

    def do_POST(self) -> None:
        """Take decisions."""
        if not self._is_for(f"/{DECISIONS}") or not self._is_from_the_page():
            return self._refuse(HTTPStatus.NOT_FOUND)
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal():
            return self._refuse(HTTPStatus.LENGTH_REQUIRED)
        if int(length) > _MOST_BYTES:
            return self._refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        content = self.rfile.read(int(length))
        if len(content) < int(length):
            return self._refuse(HTTPStatus.BAD_REQUEST)
        return self._take(content)

    def _take(self, content: bytes) -> None:
        try:
            with in_memory(content) as file:
                found = take(self._desk, [file], source="page")
        except BaseException as error:
            if not is_failure(error):
                raise
            # The words of anything else may quote a cell.
            said = str(error) if isinstance(error, NightError) else type(error).__name__
            return self._answer(
                HTTPStatus.INTERNAL_SERVER_ERROR, "text/plain", f"not taken: {said}".encode()
            )
        lines = [{k: v for k, v in asdict(one).items() if k != "file"} for one in found.refusals]
        counts = {"taken": found.taken, "known": found.known, "refused": found.refused}
        status = HTTPStatus.UNPROCESSABLE_ENTITY if found.refused else HTTPStatus.OK
        body = json.dumps({**counts, "lines": lines}).encode()
        return self._answer(status, "application/json", body)

    @property
    def _desk(self) -> Desk:
        return self.server.desk

    def _is_for(self, path: str) -> bool:
        """Tell whether a request knows the token, and came by this machine's own name."""
        host = f"{LOCALHOST}:{self.server.server_address[1]}"
        wanted = f"/{self.server.token}{path}"
        knows = hmac.compare_digest(self.path.encode("utf-8", "replace"), wanted.encode())
        return knows and self.headers.get("Host") == host

    def _is_from_the_page(self) -> bool:
        host = f"http://{LOCALHOST}:{self.server.server_address[1]}"
        return self.headers.get("Origin", host) == host

    def _refuse(self, status: HTTPStatus) -> None:
        self.close_connection = True
        self._answer(status, "text/plain", status.phrase.encode())

    def _answer(self, status: HTTPStatus, kind: str, body: bytes) -> None:
        self.send_response(status)
        for name, value in (
            ("Content-Type", kind),
            ("Content-Length", str(len(body))),
            ("Cache-Control", "no-store"),
            ("Referrer-Policy", "no-referrer"),
            ("X-Content-Type-Options", "nosniff"),
            ("X-Frame-Options", "DENY"),
        ):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Log nothing: an address has the token in it."""
