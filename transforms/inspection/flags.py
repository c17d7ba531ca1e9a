"""What a row is, where no column says it: columns that are named after it.

`lung_metastasis` with yes and no, `recurrence_date`, `SUVmax`: the site, the type and the
modality stand in the name. A "no" in such a column makes no row: whether it means that somebody
looked and found nothing, only the registry can say.
"""

from collections.abc import Mapping

from transforms.inspection.cells import Line
from transforms.inspection.found import Looked
from transforms.inspection.matching import Match
from transforms.inspection.profile import Profile
from transforms.inspection.vocabulary import folded, normalised, vocabulary

_METASTASIS = ("metast", "mets", "met", "转移")
_OF_COLUMN: Mapping[str, tuple[str, float, str]] = {
    "suv_max": ("FDG_PETCT", 0.6, "SUVmax is of PET; is the tracer FDG?"),
    "fdg_positive": ("FDG_PETCT", 0.8, "it speaks of FDG"),
    "largest_lung_nodule": ("CT", 0.5, "is the size from a CT?"),
}
"""Columns of imaging that tell the modality."""


def said_by_name(table: str, chosen: Mapping[str, Match]) -> Line | None:
    """Return what every row of a rule is, told from the names of its columns."""
    if table == "imaging":
        for ours, (modality, sure, why) in _OF_COLUMN.items():
            if ours in chosen:
                words = f"column '{chosen[ours].theirs.name}': {why}"
                return Line("modality", {"constant": modality}, sure, words)
    if table == "events" and "event_date" in chosen:
        name = chosen["event_date"].theirs.name
        codes = _codes_in(name, "type")
        if len(codes) == 1:
            why = f"column '{name}' is named after it"
            return Line("type", {"constant": codes.pop()}, 0.85, why)
    return None


def site_columns(looked: Looked) -> list[tuple[Profile, str, tuple[str, ...]]]:
    """Return columns that say yes or no of one metastatic site: column, site, what yes is."""
    found = []
    yes = {word for word, code in vocabulary().codes["yes_no"].items() if code == "yes"} | {"1"}
    for one in looked.columns:
        words = normalised(one.name)
        is_metastasis = any(
            word in words if len(word) > 4 or not word.isascii() else word in words.split()
            for word in _METASTASIS
        )
        sites = _codes_in(one.name, "site") - {"other", "unspecified"}
        said = tuple(c.text for c in one.codes if folded(c.text) in yes)
        if is_metastasis and len(sites) == 1 and said and one.distinct <= 4:
            found.append((one, sites.pop(), said))
    return found


def condition(one: Profile, said: tuple[str, ...]) -> str:
    """Return the condition under which a column says yes, in SQL."""
    quoted = one.name.replace('"', '""')
    values = ", ".join("'" + text.replace("'", "''") + "'" for text in said)
    return f'"{quoted}" IN ({values})'


def _codes_in(name: str, column: str) -> set[str]:
    """Return the codes of a column whose words stand in a name."""
    text = normalised(name)
    return {
        code
        for word, code in vocabulary().codes[column].items()
        if (len(word) >= 3 and f" {normalised(word)} " in f" {text} ")
        or (len(word) >= 5 and normalised(word) in text)
        or (not word.isascii() and word in text)
    }
