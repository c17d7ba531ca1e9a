"""A draft as the TOML of a mapping: each line with its confidence and evidence.

Nothing is accepted by itself: every line is a comment, unless it is at least as sure as `accept`
and everything that it rests on is, too. What is accepted is a mapping that can be read.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from schemas.registry import TABLES
from transforms.inspection.drafted import Draft, Rule
from transforms.inspection.found import Looked
from transforms.inspection.rules import ANCHORS

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_SOURCE = 0.95
_DOUBTED_SOURCE = 0.7
_HEAD = """\
## A mapping to start from, drafted from {files}.
## Lines that begin with ## are words: how sure the line below is, from 0 to 1, and why; with ##?
## a question that the files do not answer. {accepted}
## Then: thyrisk map check."""
_NOTHING = """\
Nothing is accepted yet: take the "# " from what is
## right, and from the [brackets] above it, or draft again with --accept 0.9."""
_SOME = """\
Lines from {accept:g} on are accepted;
## of the others take the "# " away where they are right."""
_COVERAGE = """
## What the registry collects only it can say. Until it does, nothing that is not in the files is
## taken for "none": tables are partial, columns that nothing was found for not_collected.
##? Of each table: is every case in it? Then say collected, so that no row means none."""


def toml(draft: Draft, lacking: Sequence[tuple[str, str, str]], accept: float | None = None) -> str:
    """Return the draft as text; `lacking` has table, column and use of what was not found."""
    files = ", ".join(_said(looked.label) for looked in draft.sources.values())
    accepted = _NOTHING if accept is None else _SOME.format(accept=accept)
    lines = [_HEAD.format(files=files, accepted=accepted)]
    for name, looked in draft.sources.items():
        lines += _source(name, looked, accept)
    for name, (pattern, sure) in draft.patterns.items():
        body: dict[str, Any] = {"match": list(pattern.match)}
        body |= {"units": dict(pattern.units)} if pattern.units else {}
        lines += ["", *_commented(_block(f"[patterns.{name}]", body), _is_accepted(sure, accept))]
    for rule in draft.rules:
        lines += ["", *_rule(rule, _rule_is_accepted(draft, rule, accept), accept)]
    lines += _not_found(lacking)
    lines += _coverage(draft, accept)
    return "\n".join(lines) + "\n"


def _is_accepted(sure: float, accept: float | None) -> bool:
    return accept is not None and sure >= accept


def _source_confidence(looked: Looked) -> float:
    return _DOUBTED_SOURCE if looked.reading.get("header") == 0 else _SOURCE


def _source(name: str, looked: Looked, accept: float | None) -> Iterator[str]:
    sure = _source_confidence(looked)
    yield f"\n## {sure:.2f}: {_said(looked.label)}: {looked.records:,} records as it was read"
    body = dict(looked.reading)
    yield from _commented(_block(f"[sources.{_key(name)}]", body), _is_accepted(sure, accept))
    for one in looked.columns:
        if one.odd:
            said = ", ".join(f"{c.text} ({c.cells:,})" for c in one.odd)
            yield f"##? null: may {_said(said)} in '{_said(one.name)}' mean unknown?"


def _rule(rule: Rule, is_in: bool, accept: float | None) -> Iterator[str]:
    head = [f"[[tables.{rule.table}.from]]", f"source = {_value(rule.source)}"]
    if rule.unpivot:
        stems = dict(zip(rule.aliases, rule.unpivot.stems, strict=True))
        head.append(f"unpivot = {_value({'groups': stems, 'n': list(rule.unpivot.numbers)})}")
    if rule.where:
        head.append(f"where = {_value(rule.where)}")
    yield f"## {rule.confidence:.2f}: {rule.table} from {_said(rule.source)}"
    for column in rule.lacking:
        yield f"##? {column}: not found, and without it no row can be used"
    yield from _commented(head, is_in)
    yield from _commented([f"[tables.{rule.table}.from.columns]"], is_in)
    for line in rule.lines:
        also = f"; or {', '.join(line.alternatives)}" if line.alternatives else ""
        yield f"## {line.confidence:.2f}: {_said(line.evidence + also)}"
        text = f"{line.column} = {_cell(line.value)}"
        yield from _commented([text], is_in and _is_accepted(line.confidence, accept))
    yield from (f"##? {_said(asked)}" for asked in rule.questions)


def _not_found(lacking: Sequence[tuple[str, str, str]]) -> Iterator[str]:
    if lacking:
        yield "\n## Not found, and what it is needed for:"
    yield from (f"##? {table}.{column}: {_said(uses)}" for table, column, uses in lacking)


def _coverage(draft: Draft, accept: float | None) -> Iterator[str]:
    """Say of tables and columns that no row, or no such column, never means none."""
    said: dict[str, set[str]] = {}
    for rule in draft.rules:
        is_in = _rule_is_accepted(draft, rule, accept)
        if is_in or accept is None:
            lines = [o for o in rule.lines if accept is None or _is_accepted(o.confidence, accept)]
            said.setdefault(rule.table, set()).update(line.column for line in lines)
    yield _COVERAGE
    proposed = ["[coverage]"]
    for table in ANCHORS:
        described = TABLES[table]
        if table not in said:
            proposed.append(f'{table} = "not_collected"')
            continue
        proposed.append(f'{table} = "partial"')
        needed = [name for name in described.needed if name not in described.absent]
        unsaid = [name for name in needed if name not in said[table] | described.identifies]
        proposed += [f'"{table}.{name}" = "not_collected"' for name in unsaid]
    yield from _commented(proposed, accept is not None)


def _rule_is_accepted(draft: Draft, rule: Rule, accept: float | None) -> bool:
    source = _source_confidence(draft.sources[rule.source])
    return _is_accepted(min(rule.confidence, source), accept)


def _commented(lines: Sequence[str], is_accepted: bool) -> list[str]:
    return list(lines) if is_accepted else [f"# {line}" for line in lines]


def _block(head: str, body: Mapping[str, Any]) -> list[str]:
    return [head, *(f"{_key(name)} = {_value(said)}" for name, said in body.items())]


def _cell(value: Mapping[str, Any]) -> str:
    return _value(value["column"]) if set(value) == {"column"} else _value(value)


def _value(said: Any) -> str:
    """Return a value as TOML, on one line."""
    if isinstance(said, Mapping):
        inside = ", ".join(f"{_key(str(name))} = {_value(one)}" for name, one in said.items())
        return f"{{ {inside} }}"
    if isinstance(said, bool):
        return str(said).lower()
    if isinstance(said, list | tuple):
        return f"[{', '.join(_value(one) for one in said)}]"
    # A string of JSON is one of TOML, but for DEL.
    return json.dumps(said, ensure_ascii=False).replace("\x7f", "\\u007f")


def _key(name: str) -> str:
    return name if _BARE.fullmatch(name) else _value(name)


def _said(text: str) -> str:
    """Return text that stays on its line."""
    return _CONTROL.sub(" ", text)


def as_dict(draft: Draft, lacking: Sequence[tuple[str, str, str]]) -> dict[str, Any]:
    """Return the draft for programs."""
    return {
        "sources": {name: dict(looked.reading) for name, looked in draft.sources.items()},
        "patterns": {
            name: {"match": list(pattern.match), "units": dict(pattern.units), "confidence": sure}
            for name, (pattern, sure) in draft.patterns.items()
        },
        "rules": [
            {
                "table": rule.table,
                "source": rule.source,
                "confidence": rule.confidence,
                "lacking": list(rule.lacking),
                "questions": list(rule.questions),
                "lines": [
                    {
                        "column": line.column,
                        "from": dict(line.value),
                        "confidence": line.confidence,
                        "evidence": line.evidence,
                        "alternatives": list(line.alternatives),
                    }
                    for line in rule.lines
                ],
            }
            for rule in draft.rules
        ],
        "not_found": [
            {"table": table, "column": column, "needed_for": uses}
            for table, column, uses in lacking
        ],
    }
