"""What a column holds, from its distinct values."""

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transforms.inspection.forms import FORMS, with_forms
from transforms.inspection.profile import Profile, profile
from transforms.inspection.telling import with_codes


def counted(*values: str | None) -> pl.DataFrame:
    return pl.DataFrame({"value": values}, schema={"value": pl.String}).group_by("value").len("n")


def profiled(name: str, *values: str | None) -> Profile:
    return profile(name, counted(*values))


@pytest.mark.parametrize(
    ("cell", "form"),
    [
        ("2014-03-05", "iso"),
        ("2014-03-05T10:00:00", "iso"),
        ("31.12.2014", "day_first"),
        ("12/31/2014", "month_first"),
        ("03/04/2014", "day_or_month_first"),
        ("32/13/2014", "text"),
        ("20140305", "compact"),
        ("20141305", "integer"),
        ("2014年3月5日", "year_sign"),
        ("2014-03", "month"),
        ("12MAR2014", "named_month"),
        ("12 Frau 2014", "text"),
        ("31.12.14", "two_digit_year"),
        ("5,5", "decimal_comma"),
        ("1.234,5", "thousands"),
        ("<0.1", "compared"),
        ("> 300 ng/mL", "compared"),
        ("150mi", "with_unit"),
        ("105-millicurie", "with_unit"),
        ("100 MCI (3730 MBQ)", "with_unit"),
        ("3a", "text"),
        ("k.A.", "null"),
        ("[Not Available]", "null"),
        ("none", "text"),
        ("  ", "empty"),
        (None, "empty"),
    ],
)
def test_a_cell_has_the_form_in_which_it_is_written(cell: str | None, form: str) -> None:
    assert with_forms(counted(cell))["form"].to_list() == [form]


def test_a_minus_is_an_answer_where_a_plus_is_one() -> None:
    assert profiled("PET", "+", "-", "+", "-").forms == {"text": 4}
    assert profiled("PET", "5", "-").forms == {"integer": 1, "null": 1}


def test_day_and_month_are_told_from_the_cells_that_can_be_only_one() -> None:
    assert profiled("date", "31/12/2014", "01/02/2014").convention == "dmy"
    assert profiled("date", "12/31/2014", "01/02/2014").convention == "mdy"
    doubtful = profiled("date", "03/04/2014", "01/02/2014")
    assert doubtful.convention == "" and "could be either" in doubtful.doubt
    both = profiled("date", "31/12/2014", "12/31/2014")
    assert both.convention == "" and "two conventions" in both.doubt


def test_integers_are_days_years_or_serial_days_only_where_the_name_says_so() -> None:
    days = ("-100", "-2000", "15000")
    assert profiled("days_to_birth", *days).kind == "days"
    assert profiled("score", *days).kind == "number"
    years = ("2011", "2012", "2013")
    assert profiled("Diagnosejahr", *years).convention == "year"
    assert profiled("dose", *years).kind == "number"
    assert profiled("OP-Datum", "41000", "41500").convention == "excel"


def test_units_are_told_from_names_and_cells() -> None:
    assert profiled("Aktivität (MBq)", "3700").unit_in_name == "MBq"
    cells = profiled("dose", "100 mCi", "150mi", "3.7 GBq")
    assert [unit.text for unit in cells.units] == ["GBq", "mCi", "mi"]


def test_a_number_at_the_end_of_a_range_may_mean_unknown() -> None:
    found = profiled("Tg", *map(str, range(20, 60)), "9999", "9999")
    assert [(one.text, one.cells) for one in found.odd] == [("9999", 2)]
    assert (found.low, found.high) == ("20", "59")


def test_what_tells_things_apart_is_an_identifier_and_says_nothing() -> None:
    unnamed = profiled("spalte7", *(f"{n:07d}" for n in range(1_000_000, 1_000_050)))
    named = profiled("PatNr", "3", "4", "5", "5", "6")
    assert unnamed.kind == named.kind == "identifier"
    assert not (unnamed.low or unnamed.codes or named.low or named.codes)


def test_names_of_people_are_personal_whatever_they_look_like() -> None:
    assert {profiled(name, "m", "f").kind for name in ("Nachname", "姓名", "last_name")} == {
        "personal"
    }


def test_a_value_is_told_only_when_enough_patients_have_it() -> None:
    found = profiled("Zimmer", *["A"] * 30, *["B"] * 30)
    people = pl.DataFrame({"value": ["A", "B"], "people": [30, 1]})
    told = with_codes(found, people, smallest=5)
    assert [code.text for code in told.codes] == ["A"] and told.hidden == 1


def test_where_nobody_knows_whose_records_are_whose_only_short_values_are_told() -> None:
    told = with_codes(profiled("x", *["A1"] * 30, *["Meier"] * 30), None, smallest=5)
    assert [code.text for code in told.codes] == ["A1"] and told.hidden == 1


def test_a_rare_word_of_medicine_is_told_without_its_count() -> None:
    found = with_codes(profiled("Histo", *["papillär"] * 30, "anaplastisch", "Frau X"), None, 5)
    assert [(code.text, code.cells) for code in found.codes] == [
        ("papillär", 30),
        ("anaplastisch", None),
    ]


_CELLS = st.one_of(
    st.none(),
    st.sampled_from(["NA", ".", " ", "3,5", "3.5", "<1", "1.2.2014", "13.2.2014", "M", "100 mCi"]),
    st.integers(-10, 10**8).map(str),
    st.text(max_size=8),
)


@settings(max_examples=60)
@given(st.lists(_CELLS, min_size=1, max_size=30), st.randoms(use_true_random=False))
def test_every_record_has_one_form_and_their_order_does_not_matter(cells, random) -> None:  # type: ignore[no-untyped-def]
    found = profiled("x", *cells)
    assert sum(found.forms.values()) == found.records == len(cells)
    assert set(found.forms) <= set(FORMS)
    shuffled = list(cells)
    random.shuffle(shuffled)
    assert profiled("x", *shuffled) == found
