"""One night at a time: a lock on the output and on the warehouse, let go when the process ends."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from flows.errors import NightRunning

LOCK = ".lock"
"""Name of the lock file in the folder of the published nights."""


@contextmanager
def held(*paths: Path, holder: str) -> Iterator[None]:
    """Hold the locks on all paths. Raises NightRunning, naming who holds one.

    The operating system lets a lock go when its process ends, however it ends: a lock file
    that is left behind holds nobody up.
    """
    with ExitStack() as stack:
        for path in sorted(set(paths)):
            stack.enter_context(_one(path, holder))
        yield


def holder_of(path: Path) -> str | None:
    """Return who holds a lock; None when nobody does. What a dead process left says nothing."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return os.read(descriptor, 500).decode("utf-8", "replace").strip() or "another process"
    finally:
        os.close(descriptor)
    return None


@contextmanager
def _one(path: Path, holder: str) -> Iterator[None]:
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            who = os.read(descriptor, 500).decode("utf-8", "replace").strip() or "another process"
            raise NightRunning(
                f"another night is running on {path.parent}: {who}. Wait for it to end."
            ) from error
        os.ftruncate(descriptor, 0)
        os.write(descriptor, f"process {os.getpid()}, {holder}\n".encode())
        yield
        os.ftruncate(descriptor, 0)
    finally:
        os.close(descriptor)
