"""What was found in files: each table with its columns, and how they belong together."""

from collections.abc import Mapping
from dataclasses import dataclass

from transforms.inspection.links import Group, Link
from transforms.inspection.profile import Profile


@dataclass(frozen=True)
class Looked:
    """A table as it was found in a file."""

    file: str
    part: str
    format: str
    records: int
    columns: tuple[Profile, ...]
    groups: tuple[Group, ...]
    patient: tuple[str, float, str] | None
    """The column that likely identifies patients, how sure, and why."""
    reading: Mapping[str, object]
    """How it has to be read: keys of `[sources.X]`."""
    remarks: tuple[str, ...]
    sampled: int | None = None
    """The first so many records alone were looked at; None where all were."""

    @property
    def label(self) -> str:
        """The file, with the sheet where it has several."""
        return f"{self.file} [{self.part}]" if self.part else self.file

    def column(self, name: str) -> Profile:
        """Return the profile of a column."""
        return next(one for one in self.columns if one.name == name)


@dataclass(frozen=True)
class Inspection:
    """What is in some files."""

    tables: tuple[Looked, ...]
    links: tuple[Link, ...]
    smallest: int
    unread: tuple[str, ...] = ()
    """Files that could not be looked into, with the reason."""
