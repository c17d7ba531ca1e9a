"""A Tumor of NAACCR XML is a record with its Patient's items, under the version's dictionary."""

from pathlib import Path

import pytest

from flows.errors import NightRefused
from flows.intake.sources.naaccr import read_naaccr
from tests.flows.intake.sources.reading import Found, read_with

ROOT = (
    '<NaaccrData xmlns="http://naaccr.org/naaccrxml" recordType="{kind}" '
    'specificationVersion="1.7" baseDictionaryUri="http://naaccr.org/naaccrxml/naaccr-dictionary-{version}.xml"{more}>'
)


def item(name: str, value: str) -> str:
    return f'<Item naaccrId="{name}">{value}</Item>'


def read(
    folder: Path,
    body: str,
    part: str | None = None,
    version: str = "240",
    kind: str = "A",
    more: str = "",
) -> Found:
    path = folder / "x.xml"
    path.write_text(ROOT.format(kind=kind, version=version, more=more) + body + "</NaaccrData>")
    return read_with(read_naaccr, path, format="naaccr", part=part)


BODY = (
    item("registryId", "0000000001")
    + "<Patient>"
    + item("patientIdNumber", "00000001")
    + item("sex", "2")
    + "<Tumor>"
    + item("primarySite", "C739")
    + "</Tumor><Tumor>"
    + item("primarySite", "C509")
    + "</Tumor></Patient><Patient>"
    + item("patientIdNumber", "00000002")
    + "</Patient>"
)


def test_a_tumor_has_the_items_of_its_patient_and_of_the_document(tmp_path: Path) -> None:
    found = read(tmp_path, BODY)
    columns = ["_record", "registryId", "patientIdNumber", "sex", "primarySite", "naaccr_version"]
    assert found.frame.select(columns).rows() == [
        (1, "0000000001", "00000001", "2", "C739", "24"),
        (2, "0000000001", "00000001", "2", "C509", "24"),
    ]
    assert found.frame["metsAtDxLung"].to_list() == [None, None]
    assert "1 Patient element without any Tumor: no record comes of them" in found.remarks


def test_a_patient_is_a_record_whatever_tumours_there_are(tmp_path: Path) -> None:
    found = read(tmp_path, BODY, "Patient")
    assert found.frame["patientIdNumber"].to_list() == ["00000001", "00000002"]
    assert found.remarks == []


def test_an_item_that_the_version_does_not_have_is_said(tmp_path: Path) -> None:
    assert (
        "sex, which version 26 does not have (1 time)"
        in read(tmp_path, BODY, version="260").remarks
    )
    newer = BODY.replace('"sex"', '"sexAssignedAtBirth"')
    assert (
        "sexAssignedAtBirth, which version 25 does not have (1 time)"
        in read(tmp_path, newer, version="250").remarks
    )
    assert not any("sex" in said for said in read(tmp_path, newer, version="260").remarks)


def test_an_item_by_its_number_is_that_item(tmp_path: Path) -> None:
    found = read(tmp_path, BODY.replace('naaccrId="sex"', 'naaccrNum="220"'))
    assert found.frame["sex"].to_list() == ["2", "2"]


def test_items_of_user_dictionaries_are_columns_and_extensions_are_not_read(tmp_path: Path) -> None:
    body = BODY.replace("</Tumor>", item("myTg", "7") + '<o:x xmlns:o="urn:o">8</o:x></Tumor>', 1)
    found = read(tmp_path, body, more=' userDictionaryUri="http://x/y.xml"')
    assert found.frame["myTg"].to_list() == ["7", None]
    assert not {"8"} & set(found.frame.row(0))
    assert "elements of extensions, not read (1 time)" in found.remarks
    assert any("user dictionary" in said for said in found.remarks)


def test_an_item_at_the_wrong_element_and_a_file_without_texts_are_said(tmp_path: Path) -> None:
    body = BODY.replace(item("sex", "2"), item("primarySite", "C739"), 1)
    said = read(tmp_path, body, kind="I").remarks
    assert "primarySite in Patient, where the dictionary has it in Tumor (1 time)" in said
    assert "record type I: it has no text items" in said


@pytest.mark.parametrize("version", ["220", "270", "x"])
def test_other_versions_are_refused(tmp_path: Path, version: str) -> None:
    with pytest.raises(NightRefused, match="versions 23 to 26 are read"):
        read(tmp_path, BODY, version=version)


def test_other_xml_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.xml"
    for text in ("<Patient/>", "<a><Patient/></a>"):
        path.write_text(text)
        with pytest.raises(NightRefused, match="root is not NaaccrData"):
            read_with(read_naaccr, path, format="naaccr")
