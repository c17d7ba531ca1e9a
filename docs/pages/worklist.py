"""The page of the worklist: who is on it, its lists and rules, with an example of each."""

from docs.pages.markdown import code, table
from tests.transforms.review.rows import TONIGHT
from tests.transforms.review.worklist_examples import (
    LIST_EXAMPLES,
    RULE_EXAMPLES,
    Example,
    shown,
)
from transforms.review import episode
from transforms.review.listing import RULES, Listing, rule_words

_HEAD = """# The worklist

This page is made from the rules and their examples, which are their tests (`make docs`).

"""
_LISTS = {
    "new": "a criterion, progression, high risk or steep Tg rise that became known in the last "
    "{new_days} days, and that the last reviewer could not know. Known is the first night that "
    "had it, not the day of the event. The first night of all is a baseline: what it knew is "
    "never new.",
    "changed": "something that is watched is not as the last reviewer saw it, or the episode was "
    "reopened.",
    "due": "the day has come until which a review was deferred.",
    "backlog": "open and never reviewed.",
}
_ORDER = """
## The order

New, changed, due and every window that closes come first, then the backlog; in each, the first
rule that applies places the patient (`urgency_rule`, its number is `review_priority`). Within a
rule: the window that closes first, the latest progression or criterion, the shortest doubling
time; then who waits longest, the latest reason, the latest contact. An identifier decides only
between patients alike in all of it.

What became known (`new`) leads the sentence, whatever else is more urgent.

"""
_CLOSED = """
## Who is not listed

`patient_risk` says of everybody else why not (`not_listed_reason`): died; not DTC; no disease
known; a complete response at the last assessment and nothing found since; reviewed, and nothing
changed since; deferred; or nothing to review. [Disease](variables/disease.md) that is unknown
closes nothing, and neither does an unknown death, histology or response: the episode counts as
open and `episode_open` is null. Of unknown disease the sentence of an undecided patient says so.

A met criterion makes the risk of meeting one history, a progression that of progression, and ten
years since the first 131I therapy end the forecasts of survival: none of these lists anybody.
A missing answer does where one examination that still counts, or one entry, would settle a flag.

"""


def worklist_page() -> str:
    """Return the page."""
    limits = Listing()
    parts = [_HEAD, _prose(episode.__doc__), "\n## The lists\n\n"]
    for name, words in _LISTS.items():
        said = words.format(**limits.model_dump())
        parts.append(
            f"### {name}\n\n{said[0].upper()}{said[1:]}\n\n" + _example(LIST_EXAMPLES[name])
        )
    parts.append(_ORDER)
    for number, name in enumerate(RULES, 1):
        said = rule_words(name, limits)
        parts.append(f"### {number}. {name}\n\n{said[0].upper()}{said[1:]}.\n\n")
        parts.append(_example(RULE_EXAMPLES[name]))
    return "".join([*parts, _CLOSED.rstrip("\n"), "\n"])


def _prose(text: str | None) -> str:
    return (text or "").strip() + "\n"


def _example(example: Example) -> str:
    rows = ((str(n), code(w), code(r), why, t) for n, (w, r, why, t) in _numbered(example))
    head = ("position", "list", "rule", "why", "what can be done")
    return f"**{example.says}** On {TONIGHT}:\n\n" + table(head, rows) + "\n"


def _numbered(example: Example) -> list[tuple[int, tuple[str, ...]]]:
    return list(enumerate(shown(example.listed()), 1))
