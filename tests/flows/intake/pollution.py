"""The kinds of damage that CSV files have in the wild, each done to a clean table.

The kinds are those of the Pollock benchmark (Vitagliano et al., PVLDB 16:1870, 2023): of the file,
of its table, of its header and of single rows.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import product

Cells = list[str]
READ, REFUSED = "read", "refused"


@dataclass(frozen=True)
class Polluted:
    """A clean table, damaged: `touched` are the rows that are no longer as they were."""

    kind: str
    content: bytes
    ends: str = READ
    touched: frozenset[int] = field(default_factory=frozenset)


def line(cells: Cells, delimiter: str = ",", quote: str = "") -> str:
    """Return a line without its end."""
    return delimiter.join(f"{quote}{cell}{quote}" for cell in cells)


def text(header: Cells, rows: list[Cells], delimiter: str = ",", quote: str = "") -> str:
    """Return a file."""
    return "".join(line(cells, delimiter, quote) + "\n" for cells in [header, *rows])


def pollutions(header: Cells, rows: list[Cells]) -> Iterator[Polluted]:
    """Yield every kind of damage to a table of at least four rows."""
    yield from of_file(header, rows)
    yield from of_delimiters(header, rows)
    yield from of_header(header, rows)
    yield from of_remarks(header, rows)
    yield from of_tables(header, rows)
    for at in (0, len(rows) // 2, len(rows) - 1):
        yield from of_row(header, rows, at)
        for column in {0, 1, len(header) // 2, len(header) - 1}:
            yield from of_cell(header, rows, at, column)


def of_file(header: Cells, rows: list[Cells]) -> Iterator[Polluted]:
    """Yield damage to encoding, line ends and size."""
    clean = text(header, rows)
    everything = frozenset(range(len(rows)))
    yield Polluted("clean", clean.encode())
    yield Polluted("no payload", b"", REFUSED)
    yield Polluted("header only", text(header, []).encode(), touched=everything)
    yield Polluted("one row", text(header, rows[:1]).encode(), touched=everything - {0})
    yield Polluted("no last line end", clean.removesuffix("\n").encode())
    yield Polluted("two last line ends", (clean + "\n").encode())
    yield Polluted("blank first lines", ("\n\n" + clean).encode())
    yield Polluted("CR LF", clean.replace("\n", "\r\n").encode())
    yield Polluted("CR", clean.replace("\n", "\r").encode())
    yield Polluted("LF CR", clean.replace("\n", "\n\r").encode())
    yield Polluted("CR CR LF", clean.replace("\n", "\r\r\n").encode())
    yield Polluted("a blank line below each", clean.replace("\n", "\n\n").encode())
    first, last = (text(part, [], quote='"') for part in (rows[0], rows[-1]))
    among = text(header, rows[1:-1], quote='"')
    yield Polluted("a blank line among quoted rows", f"{among}{first}\n{last}".encode())
    yield Polluted("UTF-16", clean.encode("utf-16"), REFUSED)
    yield Polluted("UTF-16 without a mark", clean.encode("utf-16-le"), REFUSED)
    yield Polluted("BOM", clean.encode("utf-8-sig"))
    yield Polluted("Latin-1", _appended(header, rows, "\xb5").encode("latin-1"), touched=everything)
    yield Polluted("NUL", _appended(header, rows, "\0").encode(), touched=everything)
    yield Polluted("Ctrl-Z at the end", clean.encode() + b"\x1a")


def of_delimiters(header: Cells, rows: list[Cells]) -> Iterator[Polluted]:
    """Yield other delimiters, quotes and escapes, the same in the whole file."""
    for delimiter, ends in (
        *((";", READ), ("\t", READ), ("|", READ), (", ", READ)),
        *((" ", REFUSED), (":", REFUSED), ("\t\t", REFUSED), ("\\t", REFUSED)),
    ):
        yield Polluted(f"delimiter {delimiter!r}", text(header, rows, delimiter).encode(), ends)
    yield Polluted("all quoted", text(header, rows, quote='"').encode())
    yield Polluted("apostrophes", text(header, rows, quote="'").encode(), REFUSED)
    everything = frozenset(range(len(rows)))
    for escape in ("\\", "\0"):
        cells = [[f'{row[0]}{escape}"x', *row[1:]] for row in rows]
        polluted = text(header, cells, quote='"').encode()
        yield Polluted(f"escape {escape!r}", polluted, touched=everything)


def of_header(header: Cells, rows: list[Cells]) -> Iterator[Polluted]:
    """Yield damage to the header, and to all columns."""
    body = text(header, rows).split("\n", 1)[1]
    first = line(header)
    yield Polluted("no header", body.encode(), REFUSED)
    for more in (1, 2):
        lines = "\n".join([first] * more + [line([f"more {name}" for name in header])])
        yield Polluted(f"header of {more + 1} lines", f"{lines}\n{body}".encode())
    units = line(["text"] * len(header))
    yield Polluted("types below", f"{first}\n{units}\n{body}".encode())
    yield Polluted("header again", f"{first}\n{first}\n{body}{first}\n".encode())
    twice = [*header, header[0]]
    yield Polluted("two columns of one name", text(twice, _wider(rows)).encode(), REFUSED)
    yield Polluted("no name", text([header[0], "", *header[1:]], _wider(rows, 1)).encode())
    yield Polluted("another name", text(["HEAD/%R", *header[1:]], rows).encode(), REFUSED)
    for times, ends in ((10_000, READ), (200_000, REFUSED)):
        long = text([*header, "HEADER" * times], _wider(rows))
        yield Polluted(f"a name {times} times as long", long.encode(), ends)
    wide = [f"more_{at}" for at in range(1024)]
    padded = [row + [""] * 1024 for row in rows]
    yield Polluted("1024 columns", text(header + wide, padded).encode())
    for empty in (1, 3):
        padded = [row + [""] * empty for row in rows]
        yield Polluted(f"{empty} empty columns", text(header + [""] * empty, padded).encode())
    filled = text([*header, ""], [[*row, "" if at else "x"] for at, row in enumerate(rows)])
    yield Polluted("text under no name", filled.encode(), touched=frozenset({0}))
    everything = frozenset(range(len(rows)))
    yield Polluted("delimiter at each end", text(header, _wider(rows)).encode(), touched=everything)
    for column in range(len(header)):
        for broken in (f'"{header[column]}', f'{header[column]}"', f'a"{header[column]}'):
            names = [*header[:column], broken, *header[column + 1 :]]
            yield Polluted(f"quote in name {column}", text(names, rows).encode(), REFUSED)


def of_remarks(header: Cells, rows: list[Cells]) -> Iterator[Polluted]:
    """Yield lines above and below the table."""
    clean, pad = text(header, rows), "," * (len(header) - 1)
    for what in ("Export of the registry", "Created: today", "page 1"):
        for end, blank in product(("", pad), ("", "\n")):
            kind = f"{what!r} {len(end)} {len(blank)}"
            yield Polluted(f"above: {kind}", f"{what}{end}\n{blank}{clean}".encode(), REFUSED)
    totals = ("Total", "Sum:", "1234 rows", "(1234 rows)", "-- end of export --", "=====", "# done")
    more = ("End of file", "Number of patients: 7")
    remarks = ("Source: the registry", "as of this very day")
    for what in (*totals, *more, *remarks):
        ends = ("", pad) if what in remarks else ("", pad, ",1234" + pad[1:])
        for end, blank in product(ends, ("", "\n")):
            kind = f"{what!r} {len(end)} {len(blank)}"
            yield Polluted(f"below: {kind}", f"{clean}{blank}{what}{end}\n".encode())


def of_tables(header: Cells, rows: list[Cells]) -> Iterator[Polluted]:
    """Yield a second table below the first."""
    clean = text(header, rows)
    for width in (len(header) - 2, len(header), len(header) + 3):
        names = [f"HEADER{at}" for at in range(width)]
        other = text(names, [[f"x{at}"] * width for at in range(3)])
        yield Polluted(f"other table of {width}, blank between", f"{clean}\n{other}".encode())
        if width != len(header):
            yield Polluted(f"other table of {width}", f"{clean}{other}".encode())
    turned = text(header[::-1], [row[::-1] for row in rows])
    yield Polluted("columns in another order below", f"{clean}{turned}".encode())
    yield Polluted("BOM and header again", clean.encode() + text(header, []).encode("utf-8-sig"))


def of_row(header: Cells, rows: list[Cells], at: int) -> Iterator[Polluted]:
    """Yield damage to one row."""
    whole = line(rows[at])
    touched = frozenset({at})
    damaged = {
        "no fields": "",
        "more fields": whole + ",x" * 9,
        "fewer fields": line(rows[at][:-1]),
        "other delimiter": line(rows[at], ";"),
        "apostrophes": line(rows[at], quote="'"),
        "escape": line([rows[at][0] + '\\"', *rows[at][1:]], quote='"'),
        "NUL": whole + "\0",
        "CR within": whole[:5] + "\r" + whole[5:],
        "doubled quotes": line(rows[at], quote='""'),
        "quote and blank": line(rows[at], delimiter='" ,"', quote='"'),
    }
    for kind, instead in damaged.items():
        yield Polluted(f"row {at}: {kind}", _with(header, rows, at, instead), touched=touched)
    for end in ("\r", "\r\n"):
        polluted = _with(header, rows, at, whole, end)
        yield Polluted(f"row {at}: line end {end!r}", polluted)
    polluted = text(header, rows, quote='"').encode()
    quoted = line(rows[at], quote='"').encode()
    for cut in (quoted[1:], quoted[:-1], quoted.replace(b'"', b"", 1)[:-1]):
        kind = f"row {at}: quote missing of all quoted"
        yield Polluted(kind, polluted.replace(quoted, cut, 1), touched=touched)
    two = frozenset({at, at + 1})
    yield Polluted(f"row {at}: no line end", _with(header, rows, at, whole, ""), touched=two)


def of_cell(header: Cells, rows: list[Cells], at: int, column: int) -> Iterator[Polluted]:
    """Yield damage to one cell."""
    cells, touched = rows[at], frozenset({at})
    before, cell, after = cells[:column], cells[column], cells[column + 1 :]
    for kind, instead in (
        ("quote before", f'"{cell}'),
        ("quote after", f'{cell}"'),
        ("quote inside", f'{cell[:1]}"{cell[1:]}'),
        ("three quotes", f'"""{cell}'),
        ("text after a quoted cell", f'"{cell}"x'),
        ("quote and comma", f'",{cell}'),
        ("more separators", f",{cell}"),
    ):
        polluted = _with(header, rows, at, line([*before, instead, *after]))
        yield Polluted(f"cell {at}.{column}: {kind}", polluted, touched=touched)
    if column:
        joined = line([*before[:-1], before[-1] + cell, *after])
        kind = f"cell {at}.{column}: separator missing"
        yield Polluted(kind, _with(header, rows, at, joined), touched=touched)
    other = (at + 2) % len(rows)
    both = [list(row) for row in rows]
    both[at][column] = f'"{cell}'
    both[other][column] = f'{both[other][column]}"'
    kind = f"cell {at}.{column}: quote before, and after in row {other}"
    yield Polluted(kind, text(header, both).encode(), touched=frozenset({at, other}))


def _with(header: Cells, rows: list[Cells], at: int, instead: str, end: str = "\n") -> bytes:
    above, below = text(header, rows[:at]), text(header, rows[at + 1 :]).split("\n", 1)[1]
    return f"{above}{instead}{end}{below}".encode()


def _wider(rows: list[Cells], at: int | None = None) -> list[Cells]:
    return [[*row[:at], "", *([] if at is None else row[at:])] for row in rows]


def _appended(header: Cells, rows: list[Cells], more: str) -> str:
    return text(header, [[*row[:-1], row[-1] + more] for row in rows])
