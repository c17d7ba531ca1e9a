"""A mapping that is proposed: rules for tables, each line with how sure it is."""

from collections.abc import Mapping
from dataclasses import dataclass

from schemas.registry import TABLES
from transforms.inspection.cells import Line, Pattern
from transforms.inspection.found import Looked
from transforms.inspection.links import Group


@dataclass(frozen=True)
class Rule:
    """Rows of a table from one file, or from repeated columns of it."""

    table: str
    source: str
    lines: tuple[Line, ...]
    unpivot: Group | None = None
    aliases: tuple[str, ...] = ()
    """What the stems of `unpivot` are called in the rule."""
    questions: tuple[str, ...] = ()
    where: str = ""
    """The condition, in SQL, under which a record is a row."""

    @property
    def confidence(self) -> float:
        """The least of what no row can do without; 0 where one of it was not found."""
        by_column = {line.column: line.confidence for line in self.lines}
        return min(by_column.get(column, 0.0) for column in TABLES[self.table].identifies)

    @property
    def lacking(self) -> tuple[str, ...]:
        """What no row can do without, and was not found."""
        there = {line.column for line in self.lines}
        return tuple(sorted(TABLES[self.table].identifies - there))


@dataclass(frozen=True)
class Draft:
    """A mapping to start from."""

    sources: Mapping[str, Looked]
    rules: tuple[Rule, ...]

    @property
    def patterns(self) -> dict[str, tuple[Pattern, float]]:
        """The patterns that lines take cells apart with, and how sure the surest line is."""
        found: dict[str, tuple[Pattern, float]] = {}
        for rule in self.rules:
            for line in rule.lines:
                for pattern in line.patterns:
                    before = found.get(pattern.name, (pattern, 0.0))[1]
                    sure = min(line.confidence, rule.confidence)
                    found[pattern.name] = (pattern, max(before, sure))
        return found

    @property
    def found(self) -> frozenset[tuple[str, str]]:
        """Table and column of everything that is proposed."""
        return frozenset((rule.table, line.column) for rule in self.rules for line in rule.lines)
