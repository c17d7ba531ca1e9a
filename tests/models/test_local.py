"""Local model files: read as the shipped ones, and what they may not be."""

import pytest

from models.cards import card
from models.interchange import to_r, to_sql
from models.local import beside, read_local, with_local
from models.spec import BadModelFile, library
from tests.models.test_spec import TOY

LOCAL = """
[local]
beside = "jin2025_os"
how = "update: baseline"
since = "2009-01"
until = "2026-06"
patients = 400
events = 120
night = 2026-06-30
run_id = "abc"
warnings = ["few years of follow-up"]
"""
OWN = TOY.replace('doi = "none"', 'doi = ""').replace('status = "published"', 'status = "local"')
OWN += LOCAL


def read(*texts: str):  # type: ignore[no-untyped-def]
    return read_local((f"{n}.toml", text.encode()) for n, text in enumerate(texts))


def test_a_local_model_comes_after_the_published_ones() -> None:
    assert list(with_local(read(OWN))) == [*library(), "toy"]


@pytest.mark.parametrize(
    ("texts", "complaint"),
    [
        ([OWN, OWN], "1.toml: name: toy is taken"),
        ([OWN.replace('"toy"', '"jin2025_os"')], "name: jin2025_os is a published model"),
        ([OWN.replace('beside = "jin2025_os"', 'beside = "x"')], "no published model x: write one"),
        ([OWN.replace('"toy"', '"a toy"')], "0.toml: name: no name: write small letters"),
        ([OWN.replace('name = "sex"', 'name = "risk"')], "predictors.risk: a column has this name"),
        ([OWN.replace('"A toy"', '"A\\nDROP TABLE"')], "title: more than one line"),
        ([OWN.replace(LOCAL, "")], "local: a local number without the data it comes from"),
        ([OWN + "surprise = 1"], "local.surprise"),
    ],
)
def test_what_a_local_model_may_not_be_is_said_with_its_place(
    texts: list[str], complaint: str
) -> None:
    with pytest.raises(BadModelFile, match=complaint.replace(".", r"\.")):
        read(*texts)


def test_a_horizon_without_a_column_is_refused() -> None:
    years = '[[baseline]]\nyears = 7\nsurvival = { value = 0.9, status = "local", source = "x" }\n'
    ratio = OWN.replace('family = "points"', 'family = "cox"').replace("value = 0,", "value = 1,")
    with pytest.raises(BadModelFile, match=r"baseline\.7: no column holds it: write 3, 5, 10"):
        read(ratio.replace("[cutoff]", years + "[cutoff]"))


def test_the_card_has_data_night_and_both_models_beside_each_other() -> None:
    local = read(OWN)
    own = local["toy"].model
    text = card(own, beside("toy", local))
    assert "400, with 120 events" in text and "night of 2026-06-30 (run abc)" in text
    assert "few years of follow-up" in text and "doi:" not in text
    assert "| Sex: m | 3, local |  |" in text and "| Sex: male |  | 3, published |" in text
    theirs = card(library()["jin2025_os"], beside("jin2025_os", local))
    assert "`toy` is local: update: baseline; 400 patients, 120 events" in theirs
    assert card(library()["jin2025_pfs"], beside("jin2025_pfs", local)) == card(
        library()["jin2025_pfs"]
    )


def test_a_local_model_is_exported_as_one() -> None:
    own = read(OWN)["toy"].model
    assert to_sql(own).startswith("-- A toy (toy), local model\n")
    assert to_r(own).startswith("# A toy (toy), local model\n")
