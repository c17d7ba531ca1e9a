"""Looking at files: every column profiled, files compared, nothing of a patient kept."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import polars as pl
from polars.exceptions import PolarsError

from flows.errors import UsageError
from flows.inspection.reading import Part, files_in, opened
from transforms.inspection.found import Inspection, Looked
from transforms.inspection.links import (
    Link,
    Place,
    links,
    links_columns,
    patient_column,
    wide_groups,
)
from transforms.inspection.profile import Profile, profile
from transforms.inspection.telling import who_is_who, with_codes

Tell = Callable[[str, float], None]
"""Called with what is looked at, and the share that is done."""
_DATES = ("dmy", "mdy", "ymd", "excel")
"""What `dates` of a source can be, beside iso and strptime's codes."""


def inspect(
    given: list[Path], smallest: int, sample: int | None = None, tell: Tell = lambda *_: None
) -> Inspection:
    """Profile files and folders of files. Raises UsageError when none can be read."""
    files = files_in(given)
    found: list[tuple[Looked, dict[str, pl.Series]]] = []
    unread = []
    for number, path in enumerate(files):

        def told(what: str, share: float, at: int = number) -> None:
            tell(what, (at + share) / len(files))

        try:
            with opened(path) as parts:
                found += [_read(part, smallest, sample, told) for part in parts]
        except UsageError as error:
            if len(files) == 1:
                raise
            unread.append(str(error))
    if not found:
        raise UsageError("\n".join(unread) or "no table in there")
    hashes: dict[Place, pl.Series] = {
        (looked.label, name): values for looked, kept in found for name, values in kept.items()
    }
    shared = links(hashes)
    tables = tuple(_with_patient(looked, shared) for looked, _ in found)
    return Inspection(tables, shared, smallest, tuple(unread))


def _with_patient(looked: Looked, shared: tuple[Link, ...]) -> Looked:
    patient = patient_column(looked.label, looked.columns, shared)
    return replace(looked, patient=patient)


def _read(
    part: Part, smallest: int, sample: int | None, tell: Tell
) -> tuple[Looked, dict[str, pl.Series]]:
    """Profile a table; where its quotes are damaged, with quotes as letters."""
    try:
        return _looked(part, smallest, sample, tell)
    except PolarsError:
        if part.plain is None:
            raise
    remark = "its double quotes are damaged: read as if they were letters"
    remarks = (*part.remarks, remark)
    plain = replace(part, frame=part.plain, remarks=remarks, plain=None, is_quoted=False)
    return _looked(plain, smallest, sample, tell)


def _looked(
    part: Part, smallest: int, sample: int | None, tell: Tell
) -> tuple[Looked, dict[str, pl.Series]]:
    """Profile one table; beside it the hashed values of columns that may lead to other files."""
    frame = part.frame.head(sample) if sample else part.frame
    labels = dict(zip(part.names, part.dialect.labels, strict=False)) if part.dialect else {}
    profiles: list[Profile] = []
    kept: dict[str, pl.Series] = {}
    passes = list(part.passes)
    for names in passes:
        tell(part.file.name, len(profiles) / max(len(part.names), 1))
        text = frame.select(names).collect()
        for name in names:
            counts = text.group_by(pl.col(name).alias("value")).len("n")
            one = profile(name, counts, labels.get(name, ()))
            profiles.append(one)
            if links_columns(one):
                kept[name] = counts["value"].str.strip_chars().drop_nulls().hash().unique()
            done = len(profiles) / len(part.names)
            tell(f"{part.file.name}: {len(profiles)} of {len(part.names)} columns", done)
        if len(passes) == 1:
            frame = text.lazy()
        del text
    records = profiles[0].records if profiles else 0
    profiles = _told(frame, profiles, smallest)
    looked = Looked(
        part.file.name,
        part.part,
        part.format,
        records,
        tuple(profiles),
        wide_groups(part.names),
        None,
        _reading(part, profiles),
        part.remarks,
        sample if sample and records >= sample else None,
    )
    return looked, kept


def _told(frame: pl.LazyFrame, profiles: list[Profile], smallest: int) -> list[Profile]:
    """Tell the codes of code lists, where enough patients have them."""
    coded = [one.name for one in profiles if one.values.height]
    who = who_is_who(profiles)
    if not coded:
        return profiles
    if not who:
        return [with_codes(one, None, smallest) for one in profiles]
    text = frame.select(
        *(pl.col(name).str.strip_chars() for name in coded),
        *(pl.col(name).hash().alias(f"\x00{at}") for at, name in enumerate(who)),
    ).collect()
    fewest = pl.min_horizontal(pl.col(f"\x00{at}").n_unique() for at in range(len(who)))
    people = {name: text.group_by(pl.col(name).alias("value")).agg(people=fewest) for name in coded}
    return [with_codes(one, people.get(one.name), smallest) for one in profiles]


def _reading(part: Part, profiles: list[Profile]) -> dict[str, object]:
    """Return what `[sources.X]` has to say so that the file is read as it was read here."""
    said: dict[str, object] = {"files": part.file.name, "format": part.format}
    if part.part:
        said["part"] = part.part
    if dialect := part.dialect:
        if part.format == "csv" and dialect.encoding != "utf-8":
            said["encoding"] = dialect.encoding
        if dialect.delimiter and dialect.first != 2:
            said["delimiter"] = dialect.delimiter
        if dialect.header == 0:
            said["header"], said["names"] = 0, list(part.names)
        elif dialect.header > 1:
            said["header"] = dialect.header
        if part.format == "csv" and not part.is_quoted:
            said["options"] = {"quotes": False}
        if dialect.others:
            said["skip"] = list(dialect.others)
    # What is an answer in one column is no empty cell of the file.
    answers = {value for one in profiles for value in one.values["value"]}
    nulls = {null.text for one in profiles for null in one.nulls} - answers
    if nulls:
        said["null"] = sorted(nulls)
    commas = sum(one.convention == "decimal comma" for one in profiles)
    if commas and not any(one.convention == "decimal point" for one in profiles):
        said["decimal"] = ","
    conventions = {one.convention for one in profiles if one.kind == "date" and one.convention}
    written = {one for one in conventions if one in _DATES or one.startswith("%")}
    if len(written) == 1:
        said["dates"] = written.pop()
    return said
