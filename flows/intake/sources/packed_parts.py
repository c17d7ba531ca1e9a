"""The parts of a zip that is a document (xlsx, ods): found by name, never larger than they may."""

import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from flows.errors import NightRefused

_MOST_BYTES = 1 << 32
_ALWAYS_UNPACKED = 1 << 26
_MOST_PARTS = 10_000


@contextmanager
def parts_of(path: Path, name: str, max_ratio: int) -> Iterator[zipfile.ZipFile]:
    """Open a zip whose parts may together unpack to `max_ratio` times its size.

    Raises NightRefused where it is no whole zip, is encrypted, or grows more than that.
    """
    try:
        with zipfile.ZipFile(path) as packed:
            parts = packed.infolist()
            grown = sum(part.file_size for part in parts)
            most = min(max(max_ratio * path.stat().st_size, _ALWAYS_UNPACKED), _MOST_BYTES)
            if grown > most or len(parts) > _MOST_PARTS:
                raise NightRefused(
                    f"{name}: unpacks to {grown} bytes in {len(parts)} parts, more than "
                    f"{max_ratio} times its size; if that is right, raise max_unpack_ratio in "
                    f"the settings"
                )
            if any(part.flag_bits & 1 for part in parts):
                raise NightRefused(f"{name}: protected by a password; save it without")
            yield packed
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, KeyError) as error:
        raise NightRefused(
            f"{name}: not whole ({type(error).__name__}); save or copy it again"
        ) from None


@contextmanager
def part(packed: zipfile.ZipFile, name: str) -> Iterator[BinaryIO]:
    """Open a part of a zip for reading."""
    with packed.open(name) as stream:
        yield cast("BinaryIO", stream)
