"""The records of a rule's source, each with what is joined to it, and its fate where it is no row.

SQL as text: join, then leave_out and where, then latest.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from transforms.mapping.cells import BadRule, Record, literal, name
from transforms.mapping.dates import as_iso
from transforms.mapping.rules import From, Join, Latest
from transforms.mapping.sources import FILE, RECORD, Pattern, Source

SEVERAL_NEWEST = "latest: several records are the newest"


@dataclass(frozen=True)
class Known:
    """What a rule is compiled against."""

    sources: Mapping[str, Source]
    columns: Mapping[str, Sequence[str]]
    """Source -> its columns, as they were found in its files."""
    patterns: Mapping[str, Pattern]


def decided(rule: From, record: Record, known: Known) -> str:
    """Return the records with their fate where they are no rows: _fate, _why, _into_*."""
    joined = _joined(rule, known)
    fates = "\n    ".join(f"WHEN {when} THEN {literal(fate)}" for when, fate, _ in _judged(rule))
    whys = "\n    ".join(f"WHEN {when} THEN {literal(why)}" for when, _, why in _judged(rule))
    nothing = "CAST(NULL AS VARCHAR)"
    judged = (
        f"SELECT *, {f'CASE {fates} END' if fates else nothing} AS _fate, "
        f"{f'CASE {whys} END' if whys else nothing} AS _why\nFROM (\n{joined}\n)"
    )
    into = f"{nothing} AS _into_file, CAST(NULL AS UINTEGER) AS _into_record"
    if rule.latest is None:
        return f"SELECT *, {into}\nFROM (\n{judged}\n)"
    return _latest(rule.latest, judged, record, known.columns[rule.source])


def _joined(rule: From, known: Known) -> str:
    """Return the records, each with what is joined as a struct, and how many fitted."""
    chosen, tables = ["l.*"], [f"{name(rule.source)} AS l"]
    for number, (alias, join) in enumerate(rule.join.items()):
        fits = " AND ".join(
            f"l.{name(ours)} = j{number}._key{at}" for at, ours in enumerate(join.on)
        )
        tables.append(f"LEFT JOIN (\n{_one_each(join, known)}\n) AS j{number} ON {fits}")
        chosen.append(f"CASE WHEN j{number}._n = 1 THEN j{number}._one END AS {name(alias)}")
        chosen.append(f"coalesce(j{number}._n, 0) AS {name(f'_n_{alias}')}")
    return f"SELECT {', '.join(chosen)}\nFROM {' '.join(tables)}"


def _one_each(join: Join, known: Known) -> str:
    """Return, for each key of a joined source, its newest record and how many those are."""
    keys = [name(theirs) for theirs in join.on.values()]
    source, columns = known.sources[join.source], known.columns[join.source]
    order = _newest_first(join.latest, source)
    rank = f"rank() OVER (PARTITION BY {', '.join(keys)} ORDER BY {order})" if order else "1"
    filled = " AND ".join(f"{key} IS NOT NULL" for key in keys)
    named = ", ".join(f"t.{key} AS _key{at}" for at, key in enumerate(keys))
    return (
        f"SELECT {named}, count(DISTINCT {_contents(columns, 't.')}) AS _n, "
        f"arg_min(t, (t.{FILE}, t.{RECORD})) AS _one FROM (\n"
        f"SELECT *, {rank} AS _rank FROM {name(join.source)} WHERE {filled}\n"
        f") AS t WHERE _rank = 1 GROUP BY {', '.join(f't.{key}' for key in keys)}"
    )


def _contents(columns: Sequence[str], prefix: str = "") -> str:
    """Return what is the same in records that are the same, wherever they stand."""
    return f"hash({', '.join(f'{prefix}{name(one)}' for one in sorted(columns))})"


def _judged(rule: From) -> Iterator[tuple[str, str, str]]:
    """Yield (condition, fate, reason) of records that are no rows, the first that holds first."""
    for alias, join in rule.join.items():
        count = name(f"_n_{alias}")
        yield f"{count} > 1", "rejected", f"join {alias}: several records fit"
        if join.missing != "keep":
            fate = {"leave_out": "left_out", "reject": "rejected"}[join.missing]
            yield f"{count} = 0", fate, f"join {alias}: no record fits"
    for what, condition in rule.leave_out.items():
        yield f"coalesce((\n{condition}\n), false)", "left_out", what
    for what, condition in rule.where.items():
        yield f"NOT coalesce((\n{condition}\n), false)", "left_out", what


def _newest_first(columns: Sequence[str], source: Source) -> str:
    """Return an order: numbers as numbers, else dates as ISO 8601 and text as it is."""
    orders = []
    for column in columns:
        text = name(column)
        orders.append(f"try_cast({text} AS DOUBLE) DESC NULLS LAST")
        orders.append(f"{as_iso(text, source.dates, None)} DESC NULLS LAST")
    return ", ".join(orders)


def _latest(latest: Latest, judged: str, record: Record, columns: Sequence[str]) -> str:
    """Return the records with those that are older, or the same again, merged into the newest."""
    if missing := {*latest.per, *latest.by} - record.columns:
        raise BadRule(f"latest: no column {missing.pop()!r}")
    per = ", ".join(["_fate IS NULL", *(name(column) for column in latest.per)])
    order = _newest_first(latest.by, record.source)
    takes_part = " AND ".join(["_fate IS NULL", *(f"{name(c)} IS NOT NULL" for c in latest.per)])
    older = literal(f"latest: an older record of the same {', '.join(latest.per)}")
    is_tied = f"{takes_part} AND _first <> _last"
    is_older = f"{takes_part} AND _first = _last AND ({FILE}, {RECORD}) <> (_newest.f, _newest.r)"
    newest = f"FILTER (WHERE _rank = 1) OVER (PARTITION BY {per})"
    contents = _contents(columns)
    return (
        f"SELECT * EXCLUDE (_rank, _first, _last, _newest) REPLACE (\n"
        f"CASE WHEN {is_tied} THEN 'rejected' WHEN {is_older} THEN 'merged' ELSE _fate END "
        f"AS _fate,\n"
        f"CASE WHEN {is_tied} THEN {literal(SEVERAL_NEWEST)} WHEN {is_older} THEN {older} "
        f"ELSE _why END AS _why),\n"
        f"CASE WHEN {is_older} THEN _newest.f END AS _into_file,\n"
        f"CASE WHEN {is_older} THEN _newest.r END AS _into_record\nFROM (\n"
        f"SELECT *, min({contents}) {newest} AS _first, max({contents}) {newest} AS _last,\n"
        f"min(struct_pack(f := {FILE}, r := {RECORD})) {newest} AS _newest\n"
        f"FROM (\nSELECT *, rank() OVER (PARTITION BY {per} ORDER BY {order}) AS _rank\n"
        f"FROM (\n{judged}\n)))"
    )
