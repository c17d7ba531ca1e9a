"""A mapping proposed from what was found in files: nothing in it is accepted by itself."""

from collections.abc import Sequence
from dataclasses import replace

from transforms.inspection.cells import slug
from transforms.inspection.drafted import Draft, Rule
from transforms.inspection.found import Looked
from transforms.inspection.links import Group
from transforms.inspection.matching import assign
from transforms.inspection.rules import ANCHORS, SURE, rules_for
from transforms.inspection.vocabulary import normalised, vocabulary


def propose(tables: Sequence[Looked]) -> Draft:
    """Propose a mapping for the tables that were found in files."""
    sources = dict(zip(_names(tables), tables, strict=True))
    rules: list[Rule] = []
    for source, looked in sources.items():
        rules += _rules(source, looked)
    return Draft(sources, tuple(_one_for_patients(rules)))


def _names(tables: Sequence[Looked]) -> list[str]:
    names: list[str] = []
    for looked in tables:
        stem = looked.file.split(".")[0] + (f"_{looked.part}" if looked.part else "")
        name = slug(stem) or f"file{len(names) + 1}"
        name = f"f_{name}" if name[0].isdigit() else name
        names.append(name if name not in names else f"{name}_{len(names) + 1}")
    return names


def _rules(source: str, looked: Looked) -> list[Rule]:
    found: list[Rule] = []
    repeated = {
        stem.replace("{n}", n)
        for group in looked.groups
        for stem in group.stems
        for n in group.numbers
    }
    once = replace(looked, columns=tuple(c for c in looked.columns if c.name not in repeated))
    views: list[tuple[Looked, Group | None, tuple[str, ...]]] = []
    views += [(once, None, ())] if once.columns else []
    views += [_view(looked, once, group) for group in looked.groups]
    for view, group, aliases in views:
        main = _main_table(view)
        for table in ANCHORS:
            rule = rules_for(source, view, table, table == main)
            found += [_repeated(r, group, aliases) if group else r for r in rule]
    return [rule for rule in found if rule.lines]


def _repeated(rule: Rule, group: Group, aliases: tuple[str, ...]) -> Rule:
    """Return a rule for repeated columns: its rows are told apart by their number, too."""
    used = {str(line.value.get("column", "")) for line in rule.lines}
    stems = dict(zip(aliases, group.stems, strict=True))
    kept = tuple(alias for alias in aliases if alias in used)
    group = replace(group, stems=tuple(stems[alias] for alias in kept))
    lines = []
    for line in rule.lines:
        template = line.value.get("template")
        value = {"template": f"{template}-{{_name}}"} if template else line.value
        lines.append(replace(line, value=value))
    return replace(rule, lines=tuple(lines), unpivot=group, aliases=kept)


def _view(looked: Looked, once: Looked, group: Group) -> tuple[Looked, Group, tuple[str, ...]]:
    """Return repeated columns as a table of their own, with the columns that are there once."""
    aliases = tuple(_alias(stem) for stem in group.stems)
    first = [looked.column(stem.replace("{n}", group.numbers[0])) for stem in group.stems]
    columns = tuple(replace(one, name=alias) for one, alias in zip(first, aliases, strict=True))
    patient = tuple(c for c in once.columns if looked.patient and c.name == looked.patient[0])
    return replace(looked, columns=columns + patient), group, aliases


def _alias(stem: str) -> str:
    return stem.replace("{n}", "").strip(" _-.") or "value"


def _main_table(looked: Looked) -> str | None:
    """Return the table that a file is about: by its name, and by columns that say so."""
    file = f" {normalised(looked.file.split('.')[0] + ' ' + looked.part)} "
    sums = {}
    for table in ANCHORS:
        by_name = any(_within(word, file) for word in vocabulary().tables[table])
        chosen, _ = assign(looked, table, at_home=False)
        sums[table] = 1.5 * by_name + sum(m.score for m in chosen.values() if m.score >= SURE)
    best = max(sums, key=lambda table: sums[table])
    return best if sums[best] > 0 else None


def _within(word: str, file: str) -> bool:
    return f" {word} " in file or (word in file and (not word.isascii() or len(word) >= 5))


def _one_for_patients(rules: list[Rule]) -> list[Rule]:
    """Keep one source of patients: a patient is one row."""
    patients = [rule for rule in rules if rule.table == "patients"]
    best = max(patients, key=lambda one: sum(line.confidence for line in one.lines), default=None)
    kept = []
    for rule in rules:
        if rule.table == "patients" and rule is not best and best is not None:
            continue
        if rule is best and len(patients) > 1:
            others = ", ".join(sorted({r.source for r in patients} - {rule.source}))
            ask = f"also in {others}: join it (`join.p`) if it has what is lacking here"
            rule = replace(rule, questions=(*rule.questions, ask) if others else rule.questions)
        kept.append(rule)
    return sorted(kept, key=lambda rule: list(ANCHORS).index(rule.table))
