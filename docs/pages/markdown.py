"""Markdown that every page needs."""

from collections.abc import Iterable, Sequence


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table; a bar inside a cell stays a bar."""
    lines = [list(head), ["---"] * len(head), *(list(row) for row in rows)]
    return "".join(
        "| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |\n" for line in lines
    )


def code(text: object) -> str:
    """Return a text as code."""
    return f"`{text}`"
