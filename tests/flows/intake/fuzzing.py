"""Throws broken and hostile files at the real intake and the real warehouse.

    python -m tests.flows.intake.fuzzing SEED COUNT

A file of a valid export is rewritten in another format or encoding, or damaged in a few places,
and loaded as a night loads it. It must end as rows that are loaded, quarantined or duplicates,
all counted, or in a refusal that names the file; anything else is printed.
"""

# ruff: noqa: T201, S311 - a command; its randomness is only for damage

import csv
import gzip
import random
import re
import shutil
import sys
import tempfile
import zlib
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl

from flows.errors import NightRefused
from flows.intake.export import open_export
from flows.intake.lines import Lines
from flows.intake.manifest import MANIFEST
from flows.intake.misfits import NOT_A_ROW, OTHER_TABLE, REPEATS_HEADER, UNDER_NO_NAME
from flows.intake.rows import Irregular, batches
from flows.job import Job, Tonight
from flows.load import load_table
from flows.read import Read
from flows.secrets import NO_KEYS
from flows.settings import Settings
from flows.synth import synthesise
from flows.synth.files import write_export
from flows.warehouse.warehouse import Warehouse
from schemas.registry import TABLES
from tests.registry import AS_OF
from transforms.reading.mapping import Mapping

CODINGS = ["utf-16", "utf-16-le", "utf-32", "latin-1", "cp037", "utf-8-sig"]
TOKENS = [
    *(b'"', b'""', b",", b";", b"\t", b"|", b"\n", b"\r", b"\r\n", b"\x00", b"\xff", b"\x1f"),
    *(b"\xef\xbb\xbf", b"\xf0\x9f\x98\x80", b"\xc2\xb5g/L", b"\xfe\xff", b"   ", b"null"),
    *(b"NaN", b"inf", b"-inf", b"-1", b"1e308", b"1e400", b"-0.0", b"5,5", b"1.000,5", b"twelve"),
    *(b"0001-01-01", b"9999-12-31", b"0000-00-00", b"2021-02-31", b"10000-01-01", b"31.02.2020"),
    *(b"2020-01-01T00:00:00Z", b"+00:00", b"=1+1", b"=cmd|' /C calc'!A0", b"@SUM(A1)", b"-2+3"),
    *(b"'; DROP TABLE raw.labs_versions;--", b'" OR 1=1 --', b"<script>alert(1)</script>"),
    *(
        b"${jndi:x}",
        b"{{7*7}}",
        b"../../etc/passwd",
        b'"a\nb"',
        b"\\",
        b"x" * 70_000,
        b"\xed\xa0\x80",
    ),
    *(b"Tg", b"patients", b"patient_id", b"all", b"GBq", b"99999999999999999999", b"0x1F", b"1_0"),
]
REVIEWS = '''patient_id,reviewed_at,reviewer,decision,deferred_until,note
P0000001,2026-06-01,physician,confirmed,,
P0000002,2026-06-02,physician,deferred,2026-09-01,"PET asked for, awaited"
P0000003,2026-06-03,nurse,dismissed,,"says ""no"""
'''


_NO_ROWS = (REPEATS_HEADER, NOT_A_ROW, OTHER_TABLE, UNDER_NO_NAME)
_NO_BATCH = pl.DataFrame(schema={"line": pl.UInt32, "unreadable": pl.String})


class Fuzzer:
    """A valid export, a warehouse, and chance."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.folder = folder
        self.chance = random.Random(seed)
        self.valid = folder / "valid"
        write_export(synthesise(25, 3, 0.03), self.valid)
        (self.valid / MANIFEST).unlink()
        shutil.rmtree(self.valid / "truth")
        (self.valid / "reviews.csv").write_text(REVIEWS)
        self.settings = Settings(max_bad_share=1, batch_rows=17)
        (folder / "scratch").mkdir()
        self.warehouse = Warehouse(folder / "w.duckdb", "200MB", folder / "scratch", NO_KEYS)
        self.context = Read()
        tonight = self._tonight(self.valid)
        for table in ("patients", "diagnoses"):
            self.context = load_table(tonight, self.warehouse, self.context, table)

    def _tonight(self, export: Path) -> Tonight:
        now = datetime.now(UTC)
        mapping = Mapping()
        self.warehouse.forget_unfinished()
        job = Job(export, self.folder, AS_OF, self.folder / "w.duckdb", mapping, self.settings)
        return Tonight(
            job=job,
            run_id="fuzz",
            mapping=mapping,
            settings=self.settings,
            seq=self.warehouse.start_run("fuzz", AS_OF, now, mapping, {}),
            started_at=now,
            scratch=self.folder / "scratch",
            export=open_export(export),
            previous=None,
            last=None,
        )

    def one(self) -> str:
        """Try one input; return how it ended. Raises whatever should not be."""
        export = self.folder / "export"
        shutil.rmtree(export, ignore_errors=True)
        shutil.copytree(self.valid, export)
        table = self.chance.choice(list(TABLES))
        path = self.damaged(export / f"{table}.csv")
        try:
            self._load(export, table, path)
        except NightRefused as refusal:
            told = str(refusal)
            assert table in told, told
            assert told.isprintable(), told
            return "refused"
        return "counted"

    def _load(self, export: Path, table: str, path: Path) -> None:
        read = Read() if table == "patients" else self.context
        read = load_table(self._tonight(export), self.warehouse, read, table)
        loaded = read.tables[table]
        (file,) = loaded.files
        assert file.rows_read == file.rows_loaded + file.rows_quarantined + file.duplicates
        self._compare_lines(self._tonight(export), table, path, file.rows_read)
        rows = loaded.rejected.filter(pl.col("cell").is_null())
        assert rows.height == file.rows_quarantined
        assert loaded.rejected["reasons"].list.len().min() in (None, *range(1, 99))

    def _compare_lines(self, tonight: Tonight, table: str, path: Path, rows_read: int) -> None:
        """Compare with what Python's csv makes of each line by itself."""
        content = _text_of(path)
        if content is None:
            return
        assert tonight.export is not None
        (source,) = tonight.export.files[table]

        def found_in(lines: Lines, *, careful: bool) -> Counter[Any]:
            read = batches(
                source, Mapping(), tonight.scratch, self.settings, careful=careful, lines=lines
            )
            rows = [_NO_BATCH, *(part.select(_NO_BATCH.columns) for part in read)]
            return Counter(pl.concat(rows).rows())

        lines = Lines()
        try:
            found = found_in(lines, careful=False)
        except Irregular:
            lines = Lines()
            found = found_in(lines, careful=True)
        assert lines.rows == rows_read
        total, rows = lines_in(content)
        assert lines.total == total, f"{total} lines, {lines}"
        assert lines.total == lines.header + lines.rows + lines.inside + lines.blank
        names = {line for (line, why) in found if why is None}
        lost = rows - {line for line, _ in found}
        assert not lost, f"rows lost: lines {sorted(lost)[:9]}"
        refused = {line for line, why in found if why and not why.endswith(_NO_ROWS)}
        assert not rows & refused, f"rows refused: lines {sorted(rows & refused)[:9]}"
        assert len(names) <= len(rows) + lines.inside

    def damaged(self, path: Path) -> Path:
        """Damage a file; return where it is now."""
        chance = self.chance
        if chance.random() < 0.15:
            parquet = path.with_suffix(".parquet")
            pl.read_csv(path, infer_schema=False).write_parquet(parquet)
            path.unlink()
            return self._mutated(parquet, chance.randint(1, 3), [1, 4])
        how = chance.random()
        if how < 0.1:
            text = path.read_text()
            coding = chance.choice(
                ["utf-16", "utf-16-le", "utf-32", "latin-1", "cp037", "utf-8-sig"]
            )
            path.write_bytes(text.replace("ng/mL", "µg/L").encode(coding, "replace"))
        elif how < 0.2:
            path.write_text(path.read_text().replace(",", chance.choice(";\t|:~ ")))
        elif how < 0.25:
            lines = path.read_text().splitlines(keepends=True)
            lines[0] = ",".join(chance.choices(lines[0].strip().split(","), k=9)) + "\n"
            path.write_text("".join(lines))
        elif how < 0.45:
            self._lines_damaged(path)
        if not 0.25 <= how < 0.45 and how > 0.15:
            self._mutated(path, chance.randint(1, 6), [1, 1, 3, 50])
        if chance.random() < 0.15:
            packed = path.with_name(path.name + ".gz")
            packed.write_bytes(gzip.compress(path.read_bytes(), 1))
            path.unlink()
            return self._mutated(packed, 1, [1, 9]) if chance.random() < 0.7 else packed
        return path

    def _lines_damaged(self, path: Path) -> None:
        """Damage quotes and the structure of lines: where rows end, which lines are rows."""
        chance = self.chance
        lines = path.read_bytes().splitlines(keepends=True)
        for _ in range(chance.randint(1, 4)):
            at = chance.randrange(len(lines))
            line = lines[at]
            place = chance.choice([0, len(line) - 1, *(m.end() for m in re.finditer(b",", line))])
            cells = line.rstrip(b"\n").split(b",")
            lines[at] = chance.choice(
                [
                    line[:place] + b'"' + line[place:],
                    b",".join(b'"' + cell + b'"' for cell in cells) + b"\n",
                    b",".join([*cells[:-1], b'"' + cells[-1]]) + b"\n",
                    b",".join([*cells[:-1], cells[-1] + b'"']) + b"\n",
                    b",".join([*cells[:-1], b'"a\nb"']) + b"\n",
                    line[:place] + chance.choice([b"\n", b"\r", b"\r\n"]) + line[place:],
                    line.rstrip(b"\n") + chance.choice([b"", b"\r", b"\r\n", b"\n\n", b"\r\r\n"]),
                    line + chance.choice([lines[0], b"Total,12\n", b"(9 rows)\n", b",,\n", b"\n"]),
                ]
            )
        path.write_bytes(b"".join(lines))

    def _mutated(self, path: Path, times: int, cuts: list[int]) -> Path:
        chance, content = self.chance, bytearray(path.read_bytes())
        for _ in range(times):
            how, at = chance.random(), chance.randrange(len(content) + 1)
            if chance.random() < 0.04:
                at = min(at, chance.randrange(90))
            if how < 0.5:
                content[at:at] = chance.choice(TOKENS)
            elif how < 0.7:
                del content[at : at + chance.choice(cuts)]
            elif how < 0.78:
                del content[at:]
            elif how < 0.9:
                content[at : at + 1] = bytes([chance.randrange(256)])
            else:
                start = chance.randrange(len(content) + 1)
                content[at:at] = content[start : start + chance.randint(1, 200)]
        path.write_bytes(bytes(content))
        return path


def _text_of(path: Path) -> bytes | None:
    """Return what a delimited file says; None where that is no yardstick."""
    if path.suffix == ".parquet":
        return None
    try:
        return gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    except (OSError, EOFError, zlib.error):
        return None


def lines_in(content: bytes) -> tuple[int, set[int]]:
    """Return how many lines a file has, and which of them are rows by themselves for csv."""
    lines = [line for line in re.split(rb"(?<=\n)|(?<=\r)(?!\n)", content) if line]
    at = next(at for at, line in enumerate(lines) if line.strip(b"\xef\xbb\xbf \t\r\n"))
    header = lines[at].decode("utf-8-sig")
    delimiter = max(",;\t|", key=header.count)
    width = len(next(csv.reader([header], delimiter=delimiter)))
    return len(lines), {
        number
        for number, line in enumerate(lines[at + 1 :], at + 2)
        if _is_row(line.rstrip(b"\r\n"), delimiter, width)
    }


def _is_row(line: bytes, delimiter: str, width: int) -> bool:
    try:
        text = line.decode()
        cells = next(csv.reader([text], delimiter=delimiter, strict=True), [])
    except (UnicodeDecodeError, csv.Error):
        return False
    # csv takes a quote in a cell without quotes for a letter: there it is no yardstick.
    outside = re.sub(r'(?:^|(?<=[,;\t|]))"(?:[^"]|"")*"', "", text)
    return len(cells) == width and '"' not in outside and "\0" not in text


def main(seed: int, count: int) -> int:
    """Try so many inputs; return how many ended as they should not."""
    ends: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as folder:
        fuzzer = Fuzzer(Path(folder), seed)
        for number in range(count):
            try:
                ends[fuzzer.one()] += 1
            except BaseException as error:
                if isinstance(error, KeyboardInterrupt):
                    raise
                kept = Path(tempfile.mkdtemp(prefix="fuzz-"))
                shutil.copytree(fuzzer.folder / "export", kept / "export")
                print(f"input {number} of seed {seed}: {error!r:.300} kept in {kept}", flush=True)
                ends["wrong"] += 1
    print(f"{count} inputs: {dict(sorted(ends.items()))}")
    return ends["wrong"]


if __name__ == "__main__":
    sys.exit(bool(main(int(sys.argv[1]), int(sys.argv[2]))))
