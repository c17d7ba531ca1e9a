"""The rules that one file, or repeated columns of it, has for one table."""

from collections.abc import Mapping

from schemas.registry import TABLES
from transforms.inspection.cells import Line, line_for, slug, unit_line
from transforms.inspection.drafted import Rule
from transforms.inspection.flags import condition, said_by_name, site_columns
from transforms.inspection.found import Looked
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
SURE = 0.45


def rules_for(source: str, looked: Looked, table: str, at_home: bool) -> list[Rule]:
    """Return the rules that give rows of one table; none where the file does not speak of it."""
    chosen, others = assign(looked, table, at_home)
    says_so = [name for name in ANCHORS[table] if name in chosen and chosen[name].score >= SURE]
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
    lines.append(Line(key, {"template": f"{template}-{slug(one.name)}"}, sure, why))
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
