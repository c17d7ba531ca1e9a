"""Damage that cosmic-ray does not know and that this project fears: a code, check or call gone."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from cosmic_ray.operators.operator import Example, Operator
from parso.python.tree import Name

_LEAVES_ITS_KIND = {
    *("abs", "clip", "drop_nulls", "fill_null", "filter", "head", "over", "replace", "reverse"),
    *("round", "sort", "strip_chars", "unique"),
}
"""Calls in a chain that return what they were called on, changed."""

Span = tuple[tuple[int, int], tuple[int, int]]


def _raw(code: str, node: Any) -> Name:
    return Name(code, node.start_pos)


class DropItem(Operator):
    """Leave an item out of a list, tuple, set or dictionary that has two or more."""

    def mutation_positions(self, node: Any) -> Iterator[Span]:
        """Yield the place of each item."""
        for item in self._items(node):
            yield item[0].start_pos, item[-1].end_pos

    def mutate(self, node: Any, index: int) -> Any:
        """Return the display without one item."""
        items = self._items(node)
        left = items[:index] + items[index + 1 :]
        code = "".join("".join(part.get_code() for part in item) + "," for item in left)
        return _raw(code, node)

    @staticmethod
    def _items(node: Any) -> list[list[Any]]:
        if node.type not in ("testlist_comp", "dictorsetmaker"):
            return []
        items: list[list[Any]] = [[]]
        for part in node.children:
            if part.type == "sync_comp_for":
                return []
            if part.type == "operator" and part.value == ",":
                items.append([])
            else:
                items[-1].append(part)
        items = [item for item in items if item]
        return items if len(items) > 1 else []

    @classmethod
    def examples(cls) -> tuple[Example, ...]:
        """Return what the operator does to code."""
        return (
            Example("x = ('a', 'b')", "x = ( 'b',)"),
            Example("x = {'a': 1, 'b': 2}", "x = {'a': 1,}", occurrence=1),
        )


class DropStatement(Operator):
    """Leave out a statement that is a call, or that adds to a variable."""

    def mutation_positions(self, node: Any) -> Iterator[Span]:
        """Yield the statement, when it is of these."""
        if node.type == "simple_stmt" and self._acts(first := node.children[0]):
            yield first.start_pos, first.end_pos

    def mutate(self, node: Any, index: int) -> Any:
        """Return `pass` in its place."""
        first = node.children[0]
        node.children[0] = Name("pass", first.start_pos, prefix=first.get_first_leaf().prefix)
        return node

    @staticmethod
    def _acts(statement: Any) -> bool:
        if statement.type == "expr_stmt":
            adds: str = statement.children[1].get_code().strip()
            return len(adds) > 1 and adds.endswith("=") and adds != "=="
        return statement.type == "atom_expr" and statement.get_code().endswith(")")

    @classmethod
    def examples(cls) -> tuple[Example, ...]:
        """Return what the operator does to code."""
        return Example("f(1)\n", "pass\n"), Example("x |= y\n", "pass\n")


class DropCall(Operator):
    """Leave a call out of a chain: `.sort("date")`, `.fill_null(False)`."""

    def mutation_positions(self, node: Any) -> Iterator[Span]:
        """Yield the place of each such call."""
        for name, call in self._calls(node):
            yield name.start_pos, call.end_pos

    def mutate(self, node: Any, index: int) -> Any:
        """Return the chain without one call."""
        dropped = self._calls(node)[index]
        node.children = [part for part in node.children if part not in dropped]
        return node

    @staticmethod
    def _calls(node: Any) -> list[tuple[Any, Any]]:
        if node.type != "atom_expr":
            return []
        return [
            (name, call)
            for name, call in pairwise(node.children)
            if name.type == "trailer"
            and name.children[-1].get_code() in _LEAVES_ITS_KIND
            and call.get_code().startswith("(")
        ]

    @classmethod
    def examples(cls) -> tuple[Example, ...]:
        """Return what the operator does to code."""
        return (Example("rows.sort('a').head(1)", "rows.head(1)"),)


class Operators:
    """These, as cosmic-ray asks for them."""

    def __init__(self) -> None:
        self._all = {each.__name__: each for each in (DropItem, DropStatement, DropCall)}

    def __iter__(self) -> Iterator[str]:
        """Yield the names."""
        return iter(self._all)

    def __getitem__(self, name: str) -> type[Operator]:
        """Return an operator by name."""
        return self._all[name]
