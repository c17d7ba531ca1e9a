"""Being told to stop: SIGTERM and Ctrl-C end the command in order, with one line.

What was begun is undone on the way out: the staging folder goes, locks are let go, and the
server that Prefect started is ended.
"""

import signal
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Stopped(BaseException):
    """Somebody wants the command to end."""

    def __init__(self, number: int) -> None:
        super().__init__(f"stopped by {signal.Signals(number).name}")
        self.exit_status = 128 + number


_wishes: list[Stopped] = []


def wish() -> Stopped | None:
    """Return the wish to stop, if there was one: DuckDB turns what it raised into an error."""
    return _wishes[0] if _wishes else None


def stop_in_order() -> None:
    """From now on end in order when told to stop; a second wish does not disturb the first."""
    for number in SIGNALS:
        signal.signal(number, _stop)


def _stop(number: int, _: FrameType | None) -> None:
    for one in SIGNALS:
        signal.signal(one, signal.SIG_IGN)
    _wishes.append(Stopped(number))
    raise _wishes[0]
