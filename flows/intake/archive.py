"""An export that is one file: a zip or a tar, unpacked as files below one folder and nothing else.

Links, devices, names that lead out of the folder, names that are there twice, passwords, and more
than the archive may grow are refused before anything is read.
"""

import stat
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import IO

from flows.errors import NightRefused, is_out_of_space

SUFFIXES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")
_CHUNK = 1 << 20
_ALWAYS_UNPACKED = 1 << 26
_MOST_FILES = 10_000
_BROKEN = (zipfile.BadZipFile, tarfile.TarError, zlib.error, EOFError, NotImplementedError)


def opened_archive(export: Path, scratch: Path, max_ratio: int) -> Path:
    """Return the folder of an export: itself, or what its archive has, unpacked into `scratch`.

    An archive with one folder and nothing beside it is that folder. Raises NightRefused.
    """
    if not export.is_file() or not export.name.lower().endswith(SUFFIXES):
        return export
    into = scratch / "export"
    into.mkdir()
    unpacking = _Unpacking(export, into, max(max_ratio * export.stat().st_size, _ALWAYS_UNPACKED))
    try:
        with _members(export) as members:
            for name, stream in members:
                unpacking.take(name, stream)
    except (*_BROKEN, OSError, RuntimeError) as error:
        if is_out_of_space(error):
            raise
        raise NightRefused(
            f"{export.name}: not a whole archive ({type(error).__name__}); pack it again"
        ) from None
    if not unpacking.names:
        raise NightRefused(f"{export.name}: an archive without files")
    inside = list(into.iterdir())
    return inside[0] if len(inside) == 1 and inside[0].is_dir() else into


@dataclass
class _Unpacking:
    """Files on their way out of an archive."""

    archive: Path
    into: Path
    most: int
    names: set[str] = field(default_factory=set)
    written: int = 0

    def take(self, name: str, stream: IO[bytes]) -> None:
        """Write one file. Raises NightRefused."""
        parts = PurePosixPath(name).parts
        if not parts or name.startswith("/") or ".." in parts or "\\" in name or ":" in parts[0]:
            raise NightRefused(f"{self.archive.name}: a name in it leads out of it; pack it again")
        if not name.isprintable():
            raise NightRefused(f"{self.archive.name}: a name in it has control characters")
        if name.casefold() in self.names or len(self.names) >= _MOST_FILES:
            raise NightRefused(
                f"{self.archive.name}: the same name twice, or more than {_MOST_FILES} files"
            )
        self.names.add(name.casefold())
        target = self.into.joinpath(*parts)
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("xb") as out:
            while chunk := stream.read(_CHUNK):
                self.written += len(chunk)
                if self.written > self.most:
                    raise NightRefused(
                        f"{self.archive.name}: unpacks to more than {self.most} bytes; if that is "
                        f"right, raise max_unpack_ratio in the settings"
                    )
                out.write(chunk)


@contextmanager
def _members(archive: Path) -> Iterator[Iterator[tuple[str, IO[bytes]]]]:
    """Yield the files of an archive by name. Raises NightRefused for what is no file."""
    if archive.name.lower().endswith(".zip"):
        with zipfile.ZipFile(archive) as packed:
            yield _of_zip(packed, archive.name)
    else:
        with tarfile.open(archive, "r|*") as packed_tar:
            yield _of_tar(packed_tar, archive.name)


def _of_zip(packed: zipfile.ZipFile, name: str) -> Iterator[tuple[str, IO[bytes]]]:
    for member in packed.infolist():
        if member.is_dir():
            continue
        kind = stat.S_IFMT(member.external_attr >> 16)
        if kind not in (0, stat.S_IFREG):
            raise _no_file(name)
        if member.flag_bits & 1:
            raise NightRefused(f"{name}: protected by a password; pack it without")
        with packed.open(member) as stream:
            yield member.filename, stream


def _of_tar(packed: tarfile.TarFile, name: str) -> Iterator[tuple[str, IO[bytes]]]:
    for member in packed:
        if member.isdir():
            continue
        stream = packed.extractfile(member) if member.isreg() else None
        if stream is None:
            raise _no_file(name)
        yield member.name.removeprefix("./"), stream


def _no_file(name: str) -> NightRefused:
    return NightRefused(f"{name}: has a link or a device in it; pack the files themselves")
