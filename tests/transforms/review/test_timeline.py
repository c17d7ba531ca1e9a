"""A patient's story: every dated event that a reviewer looks at, in order, with its source."""

from datetime import date

import polars as pl

from tests.registry import Registry, days
from transforms.review.timeline import story


def test_a_story_has_every_event_in_order_with_its_source(registry: Registry) -> None:
    registry.patient("A", death_date=days(900)).diagnosed("A").operated("A", procedure="near_total")
    registry.treated("A", uptake="some").metastasis("A", "lymph_node").pet("A", suv_max=8.5)
    registry.stg("A", 1000, "pmol/L", comparator=">").lab("A", "TSH", 40, "mIU/L")
    registry.event("A", "progression", days(200)).reviewed("A", days(300), "confirmed")
    registry.usual("B")
    who = pl.DataFrame({"patient_no": [0], "patient_id": ["shown as"]})
    who = who.cast({"patient_no": pl.UInt32})
    known = registry.record().tables
    told = story({name: rows.collect() for name, rows in known.items()}, who)
    assert set(told["patient_id"]) == {"shown as"}
    assert told["date"].is_sorted()
    assert told.select("kind", "words", "value", "source_row").rows() == [
        ("diagnosis", "PTC", None, "D1"),
        ("surgery", "near-total thyroidectomy", None, "S1"),
        ("metastasis", "lymph node", None, "M1"),
        ("Tg", ">; stimulated: yes", 660.0, "L1"),
        ("PET/CT", "", 8.5, "I1"),
        ("131I", "uptake: some", 150.0, "I1"),
        ("event", "progression", None, "E1"),
        ("review", "confirmed", None, None),
        ("death", "died", None, None),
    ]
    assert told["date"][-1] == date(2022, 12, 2)
