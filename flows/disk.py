"""Files and folders on the disk: their checksum, made durable, swapped in one step."""

import ctypes
import errno
import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from polars.exceptions import PolarsError

_AT_FDCWD = -100
_RENAME_EXCHANGE = 2
_ROOM_FOR_A_FOOTER = 1 << 20


def sha256(path: Path) -> str:
    """Return the sha256 of a file."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


@contextmanager
def full_disk_said(folder: Path) -> Iterator[None]:
    """Raise OSError where polars writes parquet to a disk that fills up.

    In the footer polars says "transport error" and no more.
    """
    try:
        yield
    except PolarsError:
        if shutil.disk_usage(folder).free < _ROOM_FOR_A_FOOTER:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(folder)) from None
        raise


def sync(path: Path) -> None:
    """Wait until a file or folder is on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def exchange(one: Path, other: Path) -> None:
    """Swap two folders in one step, so that no reader finds neither."""
    libc = ctypes.CDLL(None, use_errno=True)
    swapped = getattr(libc, "renameat2", None)
    names = os.fsencode(one), os.fsencode(other)
    if swapped is None or swapped(_AT_FDCWD, names[0], _AT_FDCWD, names[1], _RENAME_EXCHANGE):
        code = ctypes.get_errno() or errno.ENOSYS
        if code not in (errno.ENOSYS, errno.EINVAL):
            raise OSError(code, os.strerror(code), str(other))
        # A file system that cannot swap: two renames, and an instant between them.
        aside = one.with_name(one.name + ".old")
        other.rename(aside)
        one.rename(other)
        aside.rename(one)


@contextmanager
def in_memory(content: bytes) -> Iterator[Path]:
    """Give content the name of a file: no temporary file may hold an identifier."""
    descriptor = os.memfd_create("content")
    try:
        with os.fdopen(descriptor, "wb", closefd=False) as stream:
            stream.write(content)
        yield Path(f"/proc/self/fd/{descriptor}")
    finally:
        os.close(descriptor)
