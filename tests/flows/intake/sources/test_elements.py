"""A record of XML is an element with what stands around it; nothing outside the file is read."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flows.errors import NightRefused
from flows.intake.sources import elements
from flows.intake.sources.elements import read_xml
from tests.flows.intake.sources.reading import Found, read_with

TWO = """<?xml version="1.0" encoding="UTF-8"?>
<Export xmlns="urn:x"><Sender>ward</Sender><Patient ID="P1"><Name><Last>A &amp; B</Last></Name>
<Tumor nr="1"><Code system="icd">C73</Code><Code>C74</Code></Tumor>
<Tumor nr="2"><Code/></Tumor><Sex>f</Sex></Patient>
<Patient ID="P2"><Sex>m</Sex></Patient></Export>"""


def read(
    folder: Path, text: str | bytes, part: str | None = "Patient/Tumor", **said: object
) -> Found:
    path = folder / "x.xml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_with(read_xml, path, format="xml", part=part, **said)


def test_a_record_has_its_own_elements_and_those_around_it_before_and_after(tmp_path: Path) -> None:
    found = read(tmp_path, TWO, names=["never"])
    first, second = found.frame.to_dicts()
    assert first["_record"] == 1
    assert first["Patient@ID"] == second["Patient@ID"] == "P1"
    assert first["Patient/Name/Last"] == "A & B"
    assert (first["Patient/Sex"], second["Patient/Sex"]) == ("f", "f")
    assert (first["Code"], first["Code[2]"], first["Code@system"]) == ("C73", "C74", "icd")
    assert (second["Code"], second["@nr"], second["never"]) == (None, "2", None)
    assert found.remarks == ["1 Patient element without any Tumor: no record comes of them"]


def test_elements_that_are_left_out_are_no_columns(tmp_path: Path) -> None:
    found = read(tmp_path, TWO, "Patient", options={"without": "Tumor Name"})
    assert found.frame.columns[1:4] == ["@ID", "Sex", "_bad"]
    assert found.frame["Sex"].to_list() == ["f", "m"]


def test_a_file_without_the_element_says_so(tmp_path: Path) -> None:
    found = read(tmp_path, "<Export/>")
    assert found.frame.is_empty()
    assert found.remarks == ["no element Patient/Tumor in it: no record"]


def test_long_files_are_the_same_as_short_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    many = "".join(f"<P><a>{n}</a>{'<late>x</late>' if n == 99 else ''}</P>" for n in range(100))
    whole = read(tmp_path, f"<E>{many}</E>", "P").frame
    monkeypatch.setattr(elements, "_SPILLED", 7)
    assert read(tmp_path, f"<E>{many}</E>", "P").frame.equals(whole)
    assert whole["late"].null_count() == 99


LAUGHS = '<!DOCTYPE E [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]>'
OUTSIDE = '<!DOCTYPE E [<!ENTITY b SYSTEM "file:///etc/passwd">]>'
DTD = '<!DOCTYPE E SYSTEM "http://localhost/x.dtd">'


@pytest.mark.parametrize("dtd", [LAUGHS, OUTSIDE, DTD])
def test_a_document_type_and_entities_are_refused(tmp_path: Path, dtd: str) -> None:
    with pytest.raises(NightRefused, match="document type or entities"):
        read(tmp_path, f"{dtd}<E><P><a>&b;</a></P></E>", "P")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("<E><P><a>SECRET</a>", "not whole XML: line 1: no element found"),
        ("<E><P>" + "<a>" * 200 + "</a>" * 200 + "</P></E>", "nested more than 100 deep"),
        ("<E><P>" + "".join(f"<a{n}>1</a{n}>" for n in range(6000)) + "</P></E>", "more than 5000"),
        (b"\xff\xfe<E/>", "not whole XML"),
        ('<?xml version="1.0" encoding="no-such"?><E/>', "not whole XML|encoding"),
        ("<E><P><a>" + "x" * (20 << 20) + "</a></P></E>", "text or tag of more than"),
    ],
)
def test_what_is_no_xml_of_records_is_refused_and_not_quoted(
    tmp_path: Path, text: str | bytes, words: str
) -> None:
    with pytest.raises(NightRefused, match=words) as refused:
        read(tmp_path, text, "P")
    assert "SECRET" not in str(refused.value)


def test_the_element_of_a_record_must_be_said(tmp_path: Path) -> None:
    with pytest.raises(NightRefused, match="say which element is a record"):
        read(tmp_path, TWO, None)


cells = st.text(st.characters(min_codepoint=32, exclude_categories=["Cs"]), min_size=1)


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(values=st.lists(cells.map(str.strip).filter(bool), max_size=5))
def test_any_text_comes_in_as_it_is(tmp_path: Path, values: list[str]) -> None:
    from xml.sax.saxutils import escape

    text = "".join(f"<P><a>{escape(value)}</a></P>" for value in values)
    try:
        found = read(tmp_path, f"<E>{text}</E>", "P", names=["a"])
    except NightRefused as refused:
        assert "not well-formed" in str(refused)
        return
    got = ["".join(value.split()) for value in found.frame["a"].to_list()]
    assert got == ["".join(value.split()) for value in values]
