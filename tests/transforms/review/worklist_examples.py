"""Examples of the worklist, which are its tests and its page in the manual."""

from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl

from tests.transforms.review.rows import Cells, derived, reviewed, risk, without_scores
from transforms.review.worklist import worklist

SAW = ["braf=mutated"]
"""What a reviewer saw of columns that are not watched: nothing changed since."""


@dataclass(frozen=True)
class Example:
    """Some patients, and how they stand on the worklist of 30 June 2026."""

    says: str
    patients: tuple[Cells, ...]
    gives: tuple[tuple[str, str, str, str], ...]
    """Per listed patient, in order: list, rule, why, what can be done."""
    before: tuple[Cells, ...] | None = ()
    """The same patients in the night before; None where there was none."""
    reviews: pl.DataFrame | None = None

    def listed(self) -> pl.DataFrame:
        """Return the worklist."""
        how: dict[str, Any] = {}
        if self.before is not None:
            how["last"] = risk(*(self.before or self.patients))
        if self.reviews is not None:
            how["reviews"] = self.reviews
        return worklist(risk(*self.patients, **how), derived(*map(without_scores, self.patients)))


_PET: Cells = {"rrdtc_flag": "indeterminate", "asks": ["fdg_uptake"], "possible": [5.0, 45.0]}
_OLD: Cells = {"met": {2: date(2019, 3, 1)}}
_HIGH: Cells = {"rrdtc_flag": "high", "points": 45.0, "points_lower": 45.0}
_HIGH |= {"fdg_uptake": "positive"}
_OLD_WHY = "Criterion 2 on 2019-03-01: course 3 took up nothing, an earlier one did"
_HIGH_WHY = "High RR-DTC risk at 131I on 2020-06-15: 45 points, FDG uptake"
_RISE: Cells = {"tg_doubling_months": 4.2, "tg_slope_n": 4}
_RISE |= {"tg_slope_from": date(2025, 6, 10), "tg_slope_to": date(2026, 3, 17)}
_RISE_WHY = "Tg doubles every 4.2 months: 4 values from 2025-06-10 to 2026-03-17"
_TODAY = date(2026, 6, 12)
_NEW_WHY = "Criterion 2 on 2026-06-12: course 3 took up nothing, an earlier one did"
_NOTHING = "nothing is missing"

RULE_EXAMPLES: dict[str, Example] = {
    "closing_window": Example(
        "The window of a PET/CT closes in three days; that of a CT, in four weeks.",
        (
            {"os_risk_group": "indeterminate", "os_asks": ["nodule_cm"]}
            | {"index_date": date(2026, 6, 28)},
            {"progressed": [("imaging", date(2026, 6, 20))]},
            _PET | {"index_date": date(2026, 6, 26)},
        ),
        (
            (
                "backlog",
                "closing_window",
                "5 or 45 points, undecided: FDG PET/CT counts until 2026-07-03",
                "FDG PET/CT until 2026-07-03",
            ),
            ("backlog", "progression", "Progression on 2026-06-20: RECIST PD", _NOTHING),
            (
                "backlog",
                "waiting",
                "OS risk undecided: CT with the lung nodule measured counts until 2026-07-28",
                "CT with the lung nodule measured until 2026-07-28",
            ),
        ),
    ),
    "progression": Example(
        "A progression of the last twelve months, before one of 2022.",
        (
            {"progressed": [("events", date(2022, 1, 10))]},
            {"progressed": [("events", date(2025, 7, 1)), ("imaging", date(2025, 7, 1))]},
        ),
        (
            (
                "backlog",
                "progression",
                "Progression on 2025-07-01: recorded, and RECIST PD",
                _NOTHING,
            ),
            ("backlog", "waiting", "Progression on 2022-01-10: recorded as an event", _NOTHING),
        ),
    ),
    "criterion": Example(
        "A criterion met three weeks ago, before one of 2019.",
        (_OLD, {"met": {2: _TODAY}}),
        (
            ("backlog", "criterion", _NEW_WHY, _NOTHING),
            ("backlog", "waiting", _OLD_WHY, _NOTHING),
        ),
    ),
    "tg_rise": Example(
        "A thyroglobulin that doubles every four months, before a high risk.",
        (_HIGH, _RISE),
        (
            ("backlog", "tg_rise", _RISE_WHY, _NOTHING),
            ("backlog", "points", _HIGH_WHY, _NOTHING),
        ),
    ),
    "points": Example(
        "The higher score first; a criterion that was met long ago comes after.",
        (_OLD, _HIGH | {"points": 11.0, "points_lower": 11.0, "fdg_uptake": "negative"}, _HIGH),
        (
            ("backlog", "points", _HIGH_WHY, _NOTHING),
            (
                "backlog",
                "points",
                "High RR-DTC risk at 131I on 2020-06-15: 11 points, recurrence, several sites",
                _NOTHING,
            ),
            ("backlog", "waiting", _OLD_WHY, _NOTHING),
        ),
    ),
    "waiting": Example(
        "Both wait since the same night: the later reason first.",
        (_OLD, {"met": {2: date(2021, 5, 2)}}),
        (
            (
                "backlog",
                "waiting",
                "Criterion 2 on 2021-05-02: course 3 took up nothing, an earlier one did",
                _NOTHING,
            ),
            ("backlog", "waiting", _OLD_WHY, _NOTHING),
        ),
    ),
}
"""One example per rule."""

LIST_EXAMPLES: dict[str, Example] = {
    "new": Example(
        "A criterion that no night knew before is new, and comes before the backlog.",
        ({"progressed": [("imaging", date(2026, 6, 20))]}, {"met": {2: _TODAY}}),
        (
            ("new", "criterion", _NEW_WHY, _NOTHING),
            ("backlog", "progression", "Progression on 2026-06-20: RECIST PD", _NOTHING),
        ),
        before=({"progressed": [("imaging", date(2026, 6, 20))]}, {}),
    ),
    "changed": Example(
        "A confirmed patient comes back when something watched is not as the reviewer saw it.",
        (_HIGH,),
        (("changed", "points", _HIGH_WHY, _NOTHING),),
        reviews=reviewed(["rrdtc_flag=low"]),
    ),
    "due": Example(
        "A deferral that has come.",
        (_OLD,),
        (
            (
                "due",
                "waiting",
                "Deferred until 2026-06-30: Criterion 2 on 2019-03-01",
                _NOTHING,
            ),
        ),
        reviews=reviewed(SAW, decision="deferred", deferred_until=date(2026, 6, 30)),
    ),
    "backlog": Example(
        "In the first night of all nothing is new: what was true before it is backlog.",
        ({"met": {2: _TODAY}},),
        (("backlog", "criterion", _NEW_WHY, _NOTHING),),
        before=None,
    ),
}
"""One example per list."""


def shown(worklist: pl.DataFrame) -> tuple[tuple[str, ...], ...]:
    """Return what an example gives, of a worklist."""
    until = pl.format("{} until {}", "todo_what", "valid_until")
    kind = pl.col("todo_kind").cast(pl.String)
    rows = worklist.select(
        pl.col("list").cast(pl.String),
        pl.col("urgency_rule").cast(pl.String),
        pl.format("{}: {}", "why_lead", "why_rest").alias("why"),
        pl.when(kind == "complete").then(pl.lit(_NOTHING)).otherwise(until).alias("todo"),
    )
    return tuple(rows.iter_rows())
