"""A patient's story: every dated event that a reviewer looks at, in order, with its source."""

from datetime import date

import polars as pl

from schemas.published import OnFile, columns_of
from tests.registry import INDEX, Registry, days
from transforms.review.timeline import numbered, story
from transforms.variables.courses import courses, possible_courses
from transforms.variables.windows import Windows

NOTHING_UNUSED = pl.DataFrame(schema=columns_of(OnFile))


def told(registry: Registry, on_file: pl.DataFrame = NOTHING_UNUSED) -> pl.DataFrame:
    """Return the story of the first patient."""
    record = registry.record()
    who = pl.DataFrame({"patient_no": [0], "patient_id": ["shown as"]})
    who = who.cast({"patient_no": pl.UInt32})
    numbers = numbered(possible_courses(record, courses(record)))
    tables = {name: rows.collect() for name, rows in record.tables.items()}
    return story(tables, who, numbers, on_file, Windows())


def of_kind(registry: Registry, kind: str, *columns: str) -> list[tuple[object, ...]]:
    return told(registry).filter(pl.col("kind") == kind).select(columns).rows()


def test_a_story_has_every_event_in_order_with_its_source(registry: Registry) -> None:
    registry.patient("A", death_date=days(900)).diagnosed("A").operated("A", procedure="near_total")
    registry.treated("A", uptake="some").metastasis("A", "lymph_node").pet("A", suv_max=8.5)
    registry.stg("A", 1000, "pmol/L", comparator=">").lab("A", "TSH", 40, "mIU/L")
    registry.lab("A", "TgAb", 10, "kIU/L", comparator="<").ct("A", size=8, unit="mm")
    registry.event("A", "progression", days(200)).reviewed("A", days(300), "confirmed")
    registry.add("imaging", "A", study_date=days(400), modality="FDG_PETCT", recist="PD")
    registry.usual("B")
    story_of_a = told(registry)
    assert set(story_of_a["patient_id"]) == {"shown as"}
    assert story_of_a["date"].is_sorted()
    assert story_of_a.select("kind", "words", "value", "unit", "source_row").rows() == [
        ("diagnosis", "PTC", None, None, "D1"),
        ("surgery", "near-total thyroidectomy", None, None, "S1"),
        ("metastasis", "lymph node", None, None, "M1"),
        ("ct", "largest lung nodule", 0.8, "cm", "I2"),
        ("Tg", ">; stimulated: yes", 660.0, "ng/mL", "L1"),
        ("tsh", "", 40.0, "mIU/L", "L2"),
        ("tgab", "<; ", 10.0, "IU/mL", "L3"),
        ("PET/CT", "", 8.5, None, "I1"),
        ("131I", "uptake: some", 150.0, "mCi", "I1"),
        ("event", "progression", None, None, "E1"),
        ("review", "confirmed", None, None, None),
        ("PET/CT", "", None, None, "I3"),
        ("recist", "RECIST PD on PET/CT", None, None, "I3"),
        ("death", "died", None, None, None),
    ]
    assert story_of_a["date"][-1] == date(2022, 12, 2)


def test_a_sample_says_what_was_measured_and_whether_tgab_disturbs_it(registry: Registry) -> None:
    registry.usual("A")
    for day, tgab in ((1, 39), (2, 40), (3, None)):
        registry.stg("A", 5, on=days(day), comparator="<")
        if tgab is not None:
            registry.lab("A", "TgAb", tgab, "IU/mL", on=days(day))
    columns = ("analyte", "comparator", "stimulated", "tgab_positive")
    assert of_kind(registry, "Tg", *columns) == [
        ("Tg", "<", "yes", False),
        ("Tg", "<", "yes", True),
        ("Tg", "<", "yes", None),
    ]


def test_courses_are_numbered_with_what_was_given_up_to_each(registry: Registry) -> None:
    registry.usual("A").treated("A", days(200), "none")
    registry.treated("A", days(400), "none", activity=None).treated("A", days(600), "none")
    assert of_kind(registry, "131I", "course", "uptake", "cumulative_mci") == [
        (1, "all", 150.0),
        (2, "none", 300.0),
        (3, "none", None),
        (4, "none", None),
    ]


def test_a_course_without_a_day_leaves_no_course_a_number(registry: Registry) -> None:
    registry.usual("A").add("i131_treatments", "A", treatment_date="2021", activity=1)
    assert of_kind(registry, "131I", "date", "course", "cumulative_mci") == [(INDEX, None, None)]


def test_what_is_on_file_and_does_not_count_is_told_with_the_reason(registry: Registry) -> None:
    registry.usual("A").pet("A", days(19), suv_max=3, recist="SD").pet("A", days(1), suv_max=3)
    row = {
        "patient_id": "shown as",
        "feature": "fdg_uptake",
        "words": "",
        "reason": "19 days after",
    }
    row |= {"source_table": "imaging", "source_row": "I1"}
    unused = pl.DataFrame([row], schema=columns_of(OnFile))
    found = told(registry, unused).filter(pl.col("source_table") == "imaging")
    assert found.select("kind", "source_row", "counts", "not_counted_reason").rows() == [
        ("PET/CT", "I2", True, None),
        ("PET/CT", "I1", False, "19 days after"),
        ("recist", "I1", True, None),
    ]
