"""A mapping proposed from what was found in files: nothing in it is accepted by itself."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from schemas.registry import TABLES
from transforms.inspection.cells import Line, Pattern, line_for, unit_line
from transforms.inspection.flags import condition, said_by_name, site_columns
from transforms.inspection.found import Looked
from transforms.inspection.links import Group
from transforms.inspection.matching import LEAST, Match, assign, ties
from transforms.inspection.profile import Profile
from transforms.inspection.vocabulary import normalised, vocabulary

ANCHORS: Mapping[str, tuple[str, ...]] = {
    "patients": ("sex", "birth_date", "death_date", "last_contact_date"),
    "diagnoses": ("diagnosis_date", "histology"),
    "surgeries": ("surgery_date", "procedure"),
    "i131_treatments": ("treatment_date", "activity", "lesion_uptake"),
    "labs": ("analyte", "sample_date", "stimulated"),
    "imaging": ("modality", "suv_max", "recist", "largest_lung_nodule", "study_date"),
    "metastases": ("site", "detected_date"),
    "events": ("type", "event_date"),
}
"""The columns of which a file must have one, by a name that says so, to feed a table."""
_SURE = 0.45


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
        name = _slug(stem) or f"file{len(names) + 1}"
        name = f"f_{name}" if name[0].isdigit() else name
        names.append(name if name not in names else f"{name}_{len(names) + 1}")
    return names


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", normalised(text)).strip("_")


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
            rule = _rule(source, view, table, table == main)
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
        sums[table] = 1.5 * by_name + sum(m.score for m in chosen.values() if m.score >= _SURE)
    best = max(sums, key=lambda table: sums[table])
    return best if sums[best] > 0 else None


def _within(word: str, file: str) -> bool:
    return f" {word} " in file or (word in file and (not word.isascii() or len(word) >= 5))


def _rule(source: str, looked: Looked, table: str, at_home: bool) -> list[Rule]:
    """Return the rules that give rows of one table; none where the file does not speak of it."""
    chosen, others = assign(looked, table, at_home)
    says_so = [name for name in ANCHORS[table] if name in chosen and chosen[name].score >= _SURE]
    analytes = _analytes(looked, chosen) if table == "labs" else []
    sites = site_columns(looked) if table == "metastases" and "site" not in chosen else []
    if not (says_so or analytes or sites) or looked.patient is None:
        return []
    ids = [_patient_line(looked), *_key_line(source, looked, table, chosen)]
    if table == "labs" and "analyte" not in chosen:
        return [_of_analyte(source, looked, chosen, ids, *one) for one in analytes]
    if sites:
        return [_of_site(source, looked, chosen, *one) for one in sites]
    lines: list[Line] = list(ids)
    questions: list[str] = []
    for ours, best in chosen.items():
        if ours != TABLES[table].key:
            also = others[ours]
            made, asked = line_for(looked, table, best, also, ties(best, also))
            lines += made
            questions += asked
    said = said_by_name(table, chosen)
    if said and said.column not in chosen:
        lines.append(said)
    made, asked = unit_line(table, lines, chosen)
    return [
        Rule(table, source, tuple(_ordered(table, [*lines, *made])), None, (), (*questions, *asked))
    ]


def _ordered(table: str, lines: list[Line]) -> list[Line]:
    order = {name: at for at, name in enumerate(TABLES[table].columns)}
    first: dict[str, Line] = {}
    for line in lines:
        first.setdefault(line.column, line)
    return sorted(first.values(), key=lambda line: order[line.column])


def _patient_line(looked: Looked) -> Line:
    name, sure, why = looked.patient or ("", 0.0, "")
    return Line("patient_id", {"column": name}, sure, f"column '{name}': {why}")


def _key_line(source: str, looked: Looked, table: str, chosen: Mapping[str, Match]) -> list[Line]:
    """Return what tells the rows of a table apart: a column, the patient, or the record."""
    key = TABLES[table].key
    if key is None or key == "patient_id":
        return []
    if best := chosen.get(key):
        return [Line(key, {"column": best.theirs.name}, best.score, best.evidence)]
    patient = looked.patient[0] if looked.patient else ""
    taken = {patient, *(match.theirs.name for match in chosen.values())}
    for one in looked.columns:
        if one.is_key and one.kind == "identifier" and one.name not in taken:
            why = f"column '{one.name}': each record has its own, and no other column has that"
            return [Line(key, {"column": one.name}, 0.8, why)]
    template, sure, why = _row_name(source, looked)
    return [Line(key, {"template": template}, sure, why)]


def _row_name(source: str, looked: Looked) -> tuple[str, float, str]:
    """Return a template that tells the records of a file apart, how sure it is, and why."""
    patient = looked.patient[0] if looked.patient else ""
    is_key = any(one.name == patient and one.is_key for one in looked.columns)
    if is_key and not set(patient) & set("{}"):
        return f"{{{patient}}}", 0.92, f"each patient has one record: '{patient}' names it"
    why = "no column tells its rows apart; the number of a record does, while the file only grows"
    return f"{source}-{{_record}}", 0.6, why


def _analytes(looked: Looked, chosen: Mapping[str, Match]) -> list[tuple[Profile, str]]:
    """Return the columns that are results of one analyte each, named after it."""
    found = []
    words = vocabulary().codes["analyte"]
    for one in looked.columns:
        if one.kind not in ("number", "mixed", "code"):
            continue
        text = normalised(one.name)
        padded = f" {text} "
        hits = {
            code
            for word, code in words.items()
            if f" {normalised(word)} " in padded or (not word.isascii() and word in text)
        }
        if "TgAb" in hits:
            hits = {"TgAb"}
        if (
            len(hits) == 1
            and one.share("integer", "decimal_point", "decimal_comma", "compared", "with_unit")
            > 0.5
        ):
            found.append((one, hits.pop()))
    return found


def _of_analyte(
    source: str,
    looked: Looked,
    chosen: Mapping[str, Match],
    ids: list[Line],
    one: Profile,
    analyte: str,
) -> Rule:
    """Return the rule for a column that has the results of one analyte."""
    key = "lab_id"
    lines = [line for line in ids if line.column == "patient_id"]
    template, sure, why = _row_name(source, looked)
    lines.append(Line(key, {"template": f"{template}-{_slug(one.name)}"}, sure, why))
    why = f"column '{one.name}' is named after it"
    lines.append(Line("analyte", {"constant": analyte}, 0.85, why))
    best = Match("value", one, 0.85, why)
    made, questions = line_for(looked, "labs", best, [], [])
    lines += made
    date = chosen.get("sample_date") or _only_date(looked)
    if date:
        made, asked = line_for(looked, "labs", date, [], [])
        lines, questions = lines + made, [*questions, *asked]
    made, asked = unit_line("labs", lines, {"value": best})
    asked = [*questions, *asked]
    return Rule("labs", source, tuple(_ordered("labs", lines + made)), None, (), tuple(asked))


def _of_site(
    source: str,
    looked: Looked,
    chosen: Mapping[str, Match],
    one: Profile,
    site: str,
    said: tuple[str, ...],
) -> Rule:
    """Return the rule for a column that says yes or no of one site."""
    template, sure, why = _row_name(source, looked)
    named = f"column '{one.name}' is named after it"
    lines = [
        _patient_line(looked),
        Line("metastasis_id", {"template": f"{template}-{site}"}, sure, why),
        Line("site", {"constant": site}, 0.7, named),
    ]
    asked = [
        f"found: where '{one.name}' does not say {' or '.join(said)}, did somebody look and find "
        f'nothing? Only then add a rule with found = {{ constant = "no", ... }}'
    ]
    if date := chosen.get("detected_date"):
        made, more = line_for(looked, "metastases", date, [], [])
        lines, asked = [*lines, *made], [*asked, *more]
    else:
        asked.append(f"detected_date: when was '{one.name}' found? No column says it by its name")
    where = condition(one, said)
    return Rule("metastases", source, tuple(lines), questions=tuple(asked), where=where)


def _only_date(looked: Looked) -> Match | None:
    dates = [one for one in looked.columns if one.kind == "date"]
    if len(dates) != 1:
        return None
    return Match(
        "sample_date", dates[0], max(LEAST, 0.5), f"column '{dates[0].name}': the only date"
    )


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
