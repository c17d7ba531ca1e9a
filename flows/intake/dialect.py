"""The shape of a delimited file: what one pass over its bytes tells, before it is read."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from flows.intake.export import SourceFile
from flows.intake.header import Header, header_of
from transforms.reading.mapping import Mapping

_CHUNK = 1 << 24


@dataclass(frozen=True)
class Shape:
    """What one pass over the bytes of a delimited file tells."""

    header: Header
    lines: int
    """Lines by their ends alone (LF, CR LF, or CR), whatever a reader makes of them."""
    separators: int
    has_quotes: bool
    is_utf8: bool
    has_cr_ends: bool
    """Whether a CR without LF ends a line, as on old Macs."""

    @property
    def width(self) -> int:
        """Fields of a row."""
        return len(self.header.names)

    @property
    def may_be_regular(self) -> bool:
        """Whether a reader that knows only LF and CR LF finds the lines, and the header first."""
        return self.is_utf8 and not self.has_cr_ends and self.header.line == 1

    @property
    def is_regular(self) -> bool:
        """Whether each line certainly is one row with as many fields as the header."""
        expected = (self.width - 1) * self.lines
        return self.may_be_regular and not self.has_quotes and self.separators == expected


def shape_of(path: Path, file: SourceFile, mapping: Mapping) -> Shape:
    """Look at the text of `file` that lies at `path`. Raises NightRefused."""
    return measured(path, header_of(path, file, mapping))


def measured(path: Path, header: Header) -> Shape:
    """Look at text whose header is known already."""
    line_feeds = separators = returns = before_feed = 0
    has_quotes, is_utf8, last = False, True, b""
    rest = b""
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            values = np.frombuffer(chunk, dtype=np.uint8)
            line_feeds += int(np.count_nonzero(values == ord("\n")))
            separators += int(np.count_nonzero(values == ord(header.delimiter)))
            if b"\r" in chunk or last == b"\r":
                returns += chunk.count(b"\r")
                before_feed += chunk.count(b"\r\n") + (last + chunk[:1] == b"\r\n")
            has_quotes = has_quotes or b'"' in chunk
            is_utf8, rest = _still_utf8(rest, chunk, is_utf8)
            last = chunk[-1:]
    cr_ends = returns - before_feed
    lines = line_feeds + cr_ends + (last not in (b"\n", b"\r"))
    return Shape(header, lines, separators, has_quotes, is_utf8 and not rest, cr_ends > 0)


def _still_utf8(rest: bytes, chunk: bytes, so_far: bool) -> tuple[bool, bytes]:
    """Check a chunk; a character cut at its end is left for the next."""
    if not so_far or (not rest and chunk.isascii()):
        return so_far and b"\x00" not in chunk, b""
    whole = rest + chunk
    try:
        whole.decode("utf-8")
    except UnicodeDecodeError as error:
        if len(whole) - error.start < 4 and error.reason == "unexpected end of data":
            return True, whole[error.start :]
        return False, b""
    return b"\x00" not in chunk, b""
