"""No identifier, name or free text leaves the places that are for them."""

import base64
import os
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

from tests.flows.conftest import PrefectHome
from tests.flows.test_cli import thyrisk
from tests.registry import Registry

CANARY = "CANARY"
MEANT_FOR_PATIENTS = (".parquet", ".csv", ".duckdb", ".wal", ".html")
"""What is published, and the warehouse: the only files that may name a patient."""


@pytest.fixture
def export(tmp_path: Path) -> Path:
    """Return an export with a canary in every identifier, name, free text and odd place."""
    registry = Registry()
    for number in range(40):
        patient = f"CANARY-{number}"
        registry.usual(patient, 62, centre=f"CANARY-CENTRE-{number % 2}")
        registry.metastasis(patient, "lung").add(
            "events", patient, event_date="2021-01-01", type="progression", basis="CANARY text"
        )
        registry.add("surgeries", patient, surgery_date="CANARY day", procedure="CANARY operation")
        registry.add("labs", patient, sample_date="2020-06-01", analyte="CANARY", value="CANARY")
    folder = registry.write(tmp_path / "export")
    text = (folder / "patients.csv").read_text().splitlines()
    named = [f"{line},CANARY Jane" for line in text[1:]]
    (folder / "patients.csv").write_text("\n".join([f"{text[0]},CANARY name", *named]) + "\n")
    with (folder / "imaging.csv").open("a") as stream:
        stream.write('CANARY,"a line,\n that is CANARY no row\n')
    (folder / "letter to CANARY.pdf").touch()
    return folder


def leaks(*places: Path) -> list[str]:
    """Return the files below some places that hold a canary, or are named after one."""
    return [
        str(path)
        for place in places
        for path in place.rglob("*")
        if CANARY in path.name
        or (
            path.is_file()
            and path.suffix not in MEANT_FOR_PATIENTS
            and CANARY.encode() in path.read_bytes()
        )
    ]


def run(
    export: Path, base: Path, *more: str, notify: str | None = None
) -> subprocess.CompletedProcess[str]:
    places = {"PREFECT_HOME": base / "prefect", "TMPDIR": base / "tmp", "HOME": base / "home"}
    for place in places.values():
        place.mkdir(parents=True, exist_ok=True)
    (base / "loose.toml").write_text("max_bad_share = 1.0\n")
    return thyrisk(
        *("nightly", "--export", export, "--out", base / "out", "--as-of", "2026-06-30", *more),
        **{name: str(place) for name, place in places.items()},
        **({"THYRISK_NOTIFY_BLOCK": notify} if notify else {}),
        THYRISK_REPORT="true",
    )


def assert_private(done: subprocess.CompletedProcess[str], base: Path) -> None:
    assert CANARY not in done.stdout + done.stderr
    assert leaks(base) == []


def kept_by_prefect(base: Path) -> bytes:
    """Return every byte that Prefect keeps."""
    return b"".join(p.read_bytes() for p in (base / "prefect").rglob("*") if p.is_file())


def is_in(text: str, kept: bytes) -> bool:
    """Look for a text as it is, and in base64, in which Prefect keeps what it pickles."""
    unbroken = kept.replace(b"\\n", b"").replace(b"\n", b"")
    wanted = [text.encode()]
    for offset, unsure in ((0, 0), (1, 2), (2, 3)):
        coded = base64.b64encode(b"x" * offset + text.encode()).rstrip(b"=")
        wanted.append(coded[unsure:-1])
    return any(form in kept or form in unbroken for form in wanted)


def test_canaries_of_a_published_night_stay_where_patients_belong(
    export: Path, tmp_path: Path, prefect_home: PrefectHome
) -> None:
    served, alone = tmp_path / "served", tmp_path / "alone"
    prefect_home(served / "prefect")
    for base, how in ((served, []), (alone, ["--no-server"])):
        done = run(export, base, "--settings", str(base / "loose.toml"), *how)
        assert done.returncode == 0, done.stderr
        assert_private(done, base)
    kept = kept_by_prefect(served)
    assert (
        is_in("load labs", kept) and is_in("thyrisk-rows", kept) and is_in("thyrisk-progress", kept)
    )
    assert not is_in(CANARY, kept)
    night = "out/run_date=2026-06-30"
    for name in ("patient_risk.parquet", "features.parquet", "worklist.csv"):
        assert (served / night / name).read_bytes() == (alone / night / name).read_bytes()


@pytest.fixture
def told() -> Iterator[tuple[str, list[bytes]]]:
    """Return the address of a web hook on this machine, and what it was told."""
    received: list[bytes] = []

    class Hook(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            received.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Hook)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/hook", received
    server.shutdown()


def save_block(url: str, base: Path) -> None:
    """Save a notification block in Prefect, as a person does in its pages."""
    script = (
        "from prefect.blocks.notifications import CustomWebhookNotificationBlock as Hook\n"
        f"Hook(name='hook', url={url!r}, json_data={{'text': '{{{{subject}}}} {{{{body}}}}'}})"
        ".save('hook')"
    )
    environment = {
        **os.environ,
        "PREFECT_HOME": str(base / "prefect"),
        "DO_NOT_TRACK": "1",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "1200",
    }
    subprocess.run([sys.executable, "-c", script], env=environment, check=True)


def test_canaries_of_a_refused_night_stay_where_patients_belong(
    export: Path, tmp_path: Path, prefect_home: PrefectHome, told: tuple[str, list[bytes]]
) -> None:
    served, alone = tmp_path / "served", tmp_path / "alone"
    prefect_home(served / "prefect")
    url, received = told
    save_block(url, served)
    for base, how in ((served, []), (alone, ["--no-server"])):
        done = run(export, base, *how, notify="custom-webhook/hook")
        assert done.returncode == 3, done.stderr
        assert "surgeries: 40 of 80 rows are bad" in done.stderr
        assert_private(done, base)
    kept = kept_by_prefect(served)
    (message,) = received
    assert b"nightly-2026-06-30 was not published surgeries: 40 of 80 rows are bad" in message
    assert CANARY.encode() not in message
    assert is_in("load patients", kept) and is_in("40 of 80 rows are bad", kept)
    assert not is_in(CANARY, kept)
