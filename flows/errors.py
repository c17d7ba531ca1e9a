"""What can end a night, each with the exit status that the command reports."""


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
