"""What can end a night, each with the exit status that the command reports."""

import errno
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flows.stopping import wish

_NO_SPACE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_NO_SPACE_WORDS = ("No space left", "File too large", "quota exceeded", "os error 28")
_NOT_ALLOWED = (errno.EACCES, errno.EPERM, errno.EROFS)


class NightError(Exception):
    """A night that ends without being published. The message says what, where, what to do."""

    exit_status = 1


class UsageError(NightError):
    """The command or its settings are wrong."""

    exit_status = 2


class NightRefused(NightError):
    """The input is refused; nothing is published and the last good night stays."""

    exit_status = 3


class NightRunning(NightError):
    """Another night holds the warehouse or the output."""

    exit_status = 4


class Unexpected(NightError):
    """Anything else, told without its own words: they may quote a cell."""

    def __init__(self, error: BaseException) -> None:
        frames = traceback.extract_tb(error.__traceback__)
        at = f" at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
        super().__init__(
            f"unexpected {type(error).__name__}{at}. "
            f"Set THYRISK_DEBUG=1 for the details, which may contain patient data."
        )


def is_failure(error: BaseException) -> bool:
    """Tell a failure from a wish to stop. A panic of polars is a failure, but no Exception."""
    return isinstance(error, Exception) or type(error).__name__ == "PanicException"


def is_out_of_space(error: BaseException) -> bool:
    """Tell whether an error of the system, polars or DuckDB means that the disk is full."""
    if isinstance(error, OSError) and error.errno in _NO_SPACE:
        return True
    # polars and DuckDB pass the system's words on, not its number.
    return any(words in str(error) for words in _NO_SPACE_WORDS)


@contextmanager
def told(where: Path) -> Iterator[None]:
    """Raise NightError for what the system says while a night writes to `where`."""
    try:
        yield
    except BaseException as error:
        if stopped := wish():
            raise stopped from None
        if isinstance(error, NightError) or not is_failure(error):
            raise
        if is_out_of_space(error):
            raise NightError(
                f"no space left to write to {where}; free some and run the night again. "
                f"The last good night is as it was."
            ) from None
        if isinstance(error, OSError):
            raise NightError(_system_error(error, where)) from None
        raise Unexpected(error) from error


def _system_error(error: OSError, where: Path) -> str:
    place = error.filename if isinstance(error.filename, str) else where
    if error.errno in _NOT_ALLOWED:
        return f"{place} cannot be written ({error.strerror}); give this user the right to write"
    said = error.strerror or str(error)
    return f"{place}: {said}; mend this and run the night again"
