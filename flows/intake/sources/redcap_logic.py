"""REDCap's branching logic as an expression: whether a field was shown, in the same row.

Comparisons of fields of one form with constants, `and`, `or`, `not` and parentheses are read. Of
other events, other forms, functions and arithmetic it is unknown whether the field was shown.
"""

import re
from collections.abc import Callable

import polars as pl

_TOKEN = re.compile(
    r"\s*(?:(?P<field>\[[a-z][a-z0-9_]*(?:\([A-Za-z0-9_.-]+\))?\](?!\s*\[))"
    r"|(?P<text>'[^']*'|\"[^\"]*\")|(?P<number>-?[0-9]+(?:\.[0-9]+)?)"
    r"|(?P<word>and|or|not)\b|(?P<sign><>|!=|<=|>=|=|<|>)|(?P<open>\()|(?P<close>\)))",
    re.IGNORECASE,
)
_DEEPEST = 50


class NotRead(Exception):
    """Logic that is not read here."""


def checkbox(field: str, code: str) -> str:
    """Return the column of one box of a checkbox field."""
    return f"{field}___{code.lower().replace('-', '_').replace('.', '_')}"


def shown(logic: str, column: Callable[[str], str | None]) -> pl.Expr:
    """Return whether a field with this logic was shown. Raises NotRead.

    `column` returns the column of a field, or None where its value is not in the same row.
    """
    reader = _Reader(_tokens(logic), column)
    found = reader.either(0)
    if reader.tokens:
        raise NotRead
    return found


def _tokens(logic: str) -> list[tuple[str, str]]:
    tokens: list[tuple[str, str]] = []
    at = 0
    text = logic.strip()
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None or found.lastgroup is None:
            raise NotRead
        tokens.append((found.lastgroup, found[found.lastgroup]))
        at = found.end()
    return tokens


class _Reader:
    def __init__(self, tokens: list[tuple[str, str]], column: Callable[[str], str | None]) -> None:
        self.tokens, self.column = tokens, column

    def _take(self, *kinds: str, word: str | None = None) -> str | None:
        """Take the next token if it is of a kind."""
        if not self.tokens or self.tokens[0][0] not in kinds:
            return None
        if word is not None and self.tokens[0][1].lower() != word:
            return None
        return self.tokens.pop(0)[1]

    def either(self, depth: int) -> pl.Expr:
        found = self._both(depth)
        while self._take("word", word="or"):
            found = found | self._both(depth)
        return found

    def _both(self, depth: int) -> pl.Expr:
        found = self._one(depth)
        while self._take("word", word="and"):
            found = found & self._one(depth)
        return found

    def _one(self, depth: int) -> pl.Expr:
        if depth > _DEEPEST:
            raise NotRead
        if self._take("word", word="not"):
            return ~self._one(depth + 1)
        if self._take("open"):
            found = self.either(depth + 1)
            if self._take("close") is None:
                raise NotRead
            return found
        return self._comparison()

    def _comparison(self) -> pl.Expr:
        left, sign = self._value(), self._take("sign")
        if sign is None:
            raise NotRead
        right = self._value()
        if sign in ("=", "<>", "!="):
            same = _alike(left) == _alike(right)
            return same if sign == "=" else ~same
        numbers = left.cast(pl.Float64, strict=False), right.cast(pl.Float64, strict=False)
        compared = {
            "<": numbers[0] < numbers[1],
            "<=": numbers[0] <= numbers[1],
            ">": numbers[0] > numbers[1],
            ">=": numbers[0] >= numbers[1],
        }
        return compared[sign].fill_null(value=False)

    def _value(self) -> pl.Expr:
        if text := self._take("text"):
            return pl.lit(text[1:-1])
        if number := self._take("number"):
            return pl.lit(number)
        field = self._take("field")
        if field is None:
            raise NotRead
        name, _, code = field[1:-1].rstrip(")").partition("(")
        column = self.column(checkbox(name, code) if code else name)
        if column is None:
            raise NotRead
        return pl.col(column).fill_null("0" if code else "")


def _alike(value: pl.Expr) -> pl.Expr:
    """Return a value so that 1 and 1.0 are the same."""
    number = value.cast(pl.Float64, strict=False).cast(pl.String)
    return pl.coalesce(number, value.cast(pl.String))
