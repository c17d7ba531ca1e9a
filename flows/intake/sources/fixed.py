"""Text with columns of fixed width as records: RECORD is the line."""

from collections.abc import Iterator

import polars as pl

from flows.intake.sources.given import Given, unique_names
from transforms.mapping.sources import BAD, RECORD, TEXT


def read_fixed(file: Given) -> Iterator[pl.DataFrame]:
    """Read a file whose columns are `fields`; a line that ends early has none there."""
    file.refuse_options()
    source, lines = file.source, file.lines
    raw = file.path.read_bytes().removeprefix(b"\xef\xbb\xbf").splitlines()
    text = [_decoded(line, source.encoding) for line in raw]
    above = {*source.header_lines, *source.skip}
    given = pl.DataFrame(
        {
            RECORD: pl.Series(range(1, len(raw) + 1), dtype=pl.UInt32),
            "text": pl.Series(text, dtype=pl.String),
            TEXT: pl.Series(
                [line.decode(source.encoding, "replace") for line in raw], dtype=pl.String
            ),
        }
    )
    is_blank = pl.col(TEXT).str.strip_chars() == ""
    is_other = pl.col(RECORD).is_in(list(above))
    records = given.filter(~is_blank & ~is_other)
    lines.total, lines.rows = len(raw), records.height
    lines.header = given.filter(is_other).height
    lines.blank = given.filter(is_blank & ~is_other).height
    bad = pl.when(pl.col("text").is_null()).then(pl.lit(f"row: not {source.encoding}"))
    names = unique_names(source.fields)
    cells = [
        pl.col("text").str.slice(begin - 1, end - begin + 1).alias(name)
        for name, (begin, end) in zip(names, source.fields.values(), strict=True)
    ]
    whole = records.with_columns(bad.alias(BAD)).with_columns(cells)
    is_bad = pl.col(BAD).is_not_null()
    yield whole.select(
        *(pl.when(~is_bad).then(name).alias(name) for name in names),
        RECORD,
        BAD,
        pl.when(is_bad).then(TEXT).alias(TEXT),
    )


def _decoded(line: bytes, encoding: str) -> str | None:
    try:
        return line.decode(encoding)
    except UnicodeDecodeError:
        return None
