"""The rules of the worklist: what is new, what is urgent, and their limits.

On the list is an open episode with a reason: alive, DTC, disease known, not in complete response,
not closed by a reviewer. What became known lately, what changed since the review, and deferrals
that have come are listed first, then who was never reviewed; in each, the rules place patients.
"""

from pydantic import BaseModel, ConfigDict, Field


class Listing(BaseModel):
    """The limits of the worklist's rules."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    new_days: int = Field(
        90, ge=1, description="what became known in fewer days than this is new on the worklist"
    )
    closing_days: int = Field(
        7, ge=0, description="an examination that counts so many days longer at most comes first"
    )
    recent_months: int = Field(
        12, ge=1, description="a progression, criterion or last Tg of so many months is urgent"
    )
    tg_doubling_months: float = Field(
        12, gt=0, description="a Tg that doubles faster than in so many months is a steep rise"
    )


RULES = {
    "closing_window": "an examination counts for {closing_days} days more at most",
    "progression": "a progression of the last {recent_months} months",
    "criterion": (
        "an RR-DTC criterion met in the last {recent_months} months, or known for fewer than "
        "{new_days} days"
    ),
    "tg_rise": (
        "suppressed Tg doubles in less than {tg_doubling_months:g} months, its last value of the "
        "last {recent_months} months"
    ),
    "points": "at high risk: most RR-DTC points first, then OS, then PFS",
    "waiting": "nothing of the above: who waits longest first, then the latest reason",
}
"""What places a patient, the most urgent rule first: its name and its words.

Within a rule: the window that closes first, the latest progression or criterion, the shortest
doubling time; then who waits longest, then the latest reason, the latest contact, and only
between patients alike in all of it the identifier.
"""

NUMBER = {rule: number for number, rule in enumerate(RULES, 1)}
"""Number of each rule, as review_priority has it."""


def rule_words(rule: str, listing: Listing) -> str:
    """Return a rule in words, with the limits in force."""
    return RULES[rule].format(**listing.model_dump())
