"""What an export says about itself: `manifest.json`."""

import os
import re
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path, PurePosixPath

from pydantic import (
    BaseModel,
    ConfigDict,
    NonNegativeInt,
    ValidationError,
    field_validator,
    model_validator,
)

from flows.errors import NightRefused

MANIFEST = "manifest.json"
_LARGEST = 1 << 24
_SHOWN = 5


class Entry(BaseModel):
    """What the manifest says about one file."""

    model_config = ConfigDict(extra="allow", frozen=True)

    file: str
    sha256: str | None = None
    rows: NonNegativeInt | None = None

    @field_validator("file")
    @classmethod
    def _beside_the_manifest(cls, file: str) -> str:
        path = PurePosixPath(file.replace("\\", "/"))
        if len(path.parts) != 1 or path.name in ("", "..") or not file.isprintable():
            raise ValueError("not the name of a file in the folder of the export")
        return path.name

    @field_validator("sha256")
    @classmethod
    def _in_lower_case(cls, digest: str | None) -> str | None:
        if digest is None:
            return None
        if not re.fullmatch(r"[0-9a-f]{64}", digest.strip().lower()):
            raise ValueError("not a sha256, which has 64 digits from 0 to f")
        return digest.strip().lower()


class Manifest(BaseModel):
    """What an export says about itself."""

    model_config = ConfigDict(extra="allow", frozen=True)

    files: tuple[Entry, ...] | None = None
    """None where it says nothing about files; else all files of tables are in it."""
    extracted_at: str | None = None

    @property
    def entries(self) -> tuple[Entry, ...]:
        """The files that it names."""
        return self.files or ()

    @property
    def extracted_on(self) -> date | None:
        """The day of the extraction, as it is written."""
        return None if self.extracted_at is None else _day(self.extracted_at)

    @field_validator("extracted_at")
    @classmethod
    def _is_a_time(cls, when: str | None) -> str | None:
        if when is not None:
            _day(when)
        return when

    @model_validator(mode="after")
    def _names_a_file_once(self) -> "Manifest":
        names = [entry.file for entry in self.entries]
        if len(set(names)) != len(names):
            raise ValueError("files: a file is named twice")
        return self

    def warnings(self) -> Iterator[str]:
        """Yield what to tell about it: keys that it has and nothing reads."""
        keys = set(self.model_extra or ())
        keys |= {f"files.{key}" for entry in self.entries for key in entry.model_extra or ()}
        known = sorted(key for key in keys if key.isprintable())[:_SHOWN]
        if keys:
            yield (
                f"{MANIFEST}: unknown keys, which are not read: {', '.join(known)}"
                f"{' and others' if len(known) < len(keys) else ''}"
            )


def read_manifest(folder: Path, *, required: bool) -> Manifest:
    """Read the manifest of an export; an empty one where there is none. Raises NightRefused."""
    path = folder / MANIFEST
    if not os.path.lexists(path):
        if required:
            raise NightRefused(
                f"export {folder}: no {MANIFEST}, and the settings require one; is the export "
                f"complete?"
            )
        return Manifest()
    try:
        content = _content(path, folder)
        manifest = Manifest.model_validate_json(content)
    except (OSError, RuntimeError) as error:
        why = getattr(error, "strerror", None) or "a link to itself"
        raise NightRefused(f"{MANIFEST}: cannot be read: {why}; export it again") from error
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "file"
        raise NightRefused(
            f"{MANIFEST}: {where}: {first['msg']}; want an object with a list `files` of objects "
            f"with `file`, and if you like `sha256` and `rows`"
        ) from None
    if required and manifest.files is None:
        raise NightRefused(f"{MANIFEST}: no list `files`, and the settings require one")
    return manifest


def _content(path: Path, folder: Path) -> bytes:
    if not path.resolve().is_relative_to(folder.resolve()):
        raise NightRefused(f"{MANIFEST}: a link that leads out of the export; copy the file in")
    if not path.is_file():
        raise NightRefused(f"{MANIFEST}: not a file; export it as a file")
    with path.open("rb") as stream:
        content = stream.read(_LARGEST + 1)
    if len(content) > _LARGEST:
        raise NightRefused(f"{MANIFEST}: larger than {_LARGEST} bytes; export it again")
    return content.removeprefix(b"\xef\xbb\xbf")


def _day(when: str) -> date:
    """Read an ISO 8601 date or time. Raises ValueError."""
    try:
        return datetime.fromisoformat(when.strip()).date()
    except ValueError:
        raise ValueError("not a date or time as 2026-06-30 or 2026-06-30T02:00:00Z") from None
