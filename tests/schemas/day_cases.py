"""Days of rows against those of their patient, the same for every table."""

from schemas.registry import EVENT_TABLES
from tests.schemas.cell_cases import Case, no, ok

BEFORE_1900, UNKNOWN = "before 1900-01-01", "patient_id: not in patients"
BEFORE_BIRTH = "before the patient's birth_date"
AFTER_DEATH = "after the patient's death_date"
BEFORE_DIAGNOSIS = "before the patient's first diagnosis_date"

DAYS: list[tuple[str, str, bool, dict[str, str | None]]] = [
    ("1899-12-31", BEFORE_1900, False, {"born": None, "diagnosed": None}),
    ("1899-12", BEFORE_1900, False, {"born": None, "diagnosed": None}),
    ("1900-01-01", BEFORE_1900, True, {"born": None, "diagnosed": None}),
    ("1900", BEFORE_1900, True, {"born": None, "diagnosed": None}),
    ("2016-06-14", BEFORE_BIRTH, False, {"born": "2016-06-15"}),
    ("2016-06-15", BEFORE_BIRTH, True, {"born": "2016-06-15"}),
    ("2016-05", BEFORE_BIRTH, False, {"born": "2016-06-15"}),
    ("2016-06", BEFORE_BIRTH, True, {"born": "2016-06-15"}),
    ("2015", BEFORE_BIRTH, False, {"born": "2016-06"}),
    ("2016", BEFORE_BIRTH, True, {"born": "2016-06"}),
    ("2016-05-31", BEFORE_BIRTH, False, {"born": "2016-06"}),
    ("2016-06-01", BEFORE_BIRTH, True, {"born": "2016-06"}),
    ("2015-12-31", BEFORE_BIRTH, False, {"born": "2016"}),
    ("2016-01-01", BEFORE_BIRTH, True, {"born": "2016"}),
    ("2016-06-16", AFTER_DEATH, False, {"died": "2016-06-15"}),
    ("2016-06-15", AFTER_DEATH, True, {"died": "2016-06-15"}),
    ("2016-07", AFTER_DEATH, False, {"died": "2016-06-15"}),
    ("2016-06", AFTER_DEATH, True, {"died": "2016-06-15"}),
    ("2017", AFTER_DEATH, False, {"died": "2016-06"}),
    ("2016", AFTER_DEATH, True, {"died": "2016-06"}),
    ("2016-07-01", AFTER_DEATH, False, {"died": "2016-06"}),
    ("2016-06-30", AFTER_DEATH, True, {"died": "2016-06"}),
    ("2017-01-01", AFTER_DEATH, False, {"died": "2016"}),
    ("2016-12-31", AFTER_DEATH, True, {"died": "2016"}),
    ("2024-01-01", AFTER_DEATH, True, {"died": None}),
    ("2016-06-14", BEFORE_DIAGNOSIS, False, {"diagnosed": "2016-06-15"}),
    ("2016-06-15", BEFORE_DIAGNOSIS, True, {"diagnosed": "2016-06-15"}),
    ("2016-05", BEFORE_DIAGNOSIS, False, {"diagnosed": "2016-06-15"}),
    ("2016-06", BEFORE_DIAGNOSIS, True, {"diagnosed": "2016-06-15"}),
    ("2015", BEFORE_DIAGNOSIS, False, {"diagnosed": "2016-06"}),
    ("2016", BEFORE_DIAGNOSIS, True, {"diagnosed": "2016-06"}),
    ("2016-05-31", BEFORE_DIAGNOSIS, False, {"diagnosed": "2016-06"}),
    ("2016-06-01", BEFORE_DIAGNOSIS, True, {"diagnosed": "2016-06"}),
    ("2001-01-01", BEFORE_DIAGNOSIS, True, {"diagnosed": None}),
]
"""Day of a row, rule, whether it keeps to it, and the days of its patient: both sides of each."""

NOT_ABOUT = {
    BEFORE_DIAGNOSIS: {"diagnoses", "labs", "imaging", "metastases", "events", "reviews"},
    AFTER_DEATH: {"reviews"},
}
"""The tables whose rows may be before the diagnosis, or after death."""


def about_days(table: str) -> list[Case]:
    """Return the cases of DAYS for one table."""
    when = EVENT_TABLES[table].date or ""
    made = []
    for day, rule, keeps, patient in DAYS:
        reason = f"{when}: {rule}"
        if rule == BEFORE_DIAGNOSIS and table == "diagnoses":
            continue
        others = {"died": None} if rule != AFTER_DEATH else {}
        cells = {when: day, **others, **patient}
        applies = table not in NOT_ABOUT.get(rule, ())
        made.append((ok if keeps or not applies else no)(table, reason, **cells))
    made.append(no(table, UNKNOWN, patient="nobody"))
    made.append(ok(table, UNKNOWN))
    return made
