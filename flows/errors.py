"""What can end a night, each with the exit status that the command reports."""

import traceback
from pathlib import Path


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
        where = traceback.extract_tb(error.__traceback__)[-1]
        super().__init__(
            f"unexpected {type(error).__name__} at {Path(where.filename).name}:{where.lineno}. "
            f"Set THYRISK_DEBUG=1 for the details, which may contain patient data."
        )
