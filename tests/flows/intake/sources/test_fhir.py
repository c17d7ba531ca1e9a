"""A resource is a record with its codes by system; nothing of it is judged, nothing left out."""

import json
from pathlib import Path
from typing import Any

import pytest

from flows.errors import NightRefused
from flows.intake.sources.fhir import UCUM, read_fhir
from flows.intake.sources.fhir_resources import RESOURCES
from tests.flows.intake.sources.reading import Found, read_with

SCT, LOINC = "http://snomed.info/sct", "http://loinc.org"


def concept(*codes: tuple[str | None, str], text: str | None = None) -> dict[str, Any]:
    coding = [{"code": code} | ({"system": system} if system else {}) for system, code in codes]
    return {"coding": coding} | ({"text": text} if text else {})


def read(folder: Path, part: str, *lines: object, **said: Any) -> Found:
    path = folder / "x.ndjson"
    text = [line if isinstance(line, str) else json.dumps(line) for line in lines]
    path.write_text("\n".join(text) + "\n")
    return read_with(read_fhir, path, format="fhir", part=part, **said)


def one(folder: Path, **elements: Any) -> dict[str, Any]:
    found = read(folder, elements["resourceType"], elements)
    (row,) = found.frame.to_dicts()
    return row


def test_a_concept_has_its_codes_by_system_whatever_else_is_coded(tmp_path: Path) -> None:
    code = concept((None, "A"), (SCT, "2"), ("http://ward", "T"), (SCT, "1"), text="Lung mets")
    row = one(tmp_path, resourceType="Condition", id="c", code=code)
    assert row["code_snomed"] == "1|2"
    assert row["code_other"] == "A|http://ward|T"
    assert row["code_text"] == "Lung mets"
    assert row["code_loinc"] is None


@pytest.mark.parametrize(
    ("reference", "patient"),
    [
        ("Patient/p1", "p1"),
        ("https://x/fhir/Patient/p1/_history/2", "p1"),
        ("urn:uuid:0c3", "0c3"),
        ("Group/g", None),
        ("#contained", None),
    ],
)
def test_a_reference_names_the_patient_however_it_is_written(
    tmp_path: Path, reference: str, patient: str | None
) -> None:
    row = one(tmp_path, resourceType="Condition", subject={"reference": reference})
    assert row["patient"] == patient


def test_a_broken_line_is_a_damaged_record_and_the_others_are_read(tmp_path: Path) -> None:
    good = {"resourceType": "Patient", "id": "A", "birthDate": "1950-03"}
    found = read(tmp_path, "Patient", good, '{"resourceType": "Patient", "id"', "", "[1]", good)
    rows = found.frame.select("_record", "id", "birthDate", "_bad", "_text").rows()
    assert rows[0] == (1, "A", "1950-03", None, None)
    assert rows[1][3:] == ("record: not whole JSON", '{"resourceType": "Patient", "id"')
    assert rows[2] == (4, None, None, "record: no JSON object", "[1]")
    assert rows[3][0] == 5


def test_bytes_that_are_no_utf8_damage_their_own_line_alone(tmp_path: Path) -> None:
    path = tmp_path / "x.ndjson"
    line = b'{"resourceType": "Patient", "id": "%s"}\n'
    path.write_bytes(line % b"A" + line % b"\xe4" + line % b"B\x00" + line % b"C")
    found = read_with(read_fhir, path, format="fhir", part="Patient")
    assert found.frame["id"].to_list() == ["A", None, None, "C"]
    assert found.frame["_bad"].is_not_null().to_list() == [False, True, True, False]


def test_a_line_nested_without_end_does_not_hurt(tmp_path: Path) -> None:
    deep = '{"resourceType": "Patient", "id": "A", "x": ' + "[" * 100_000 + "]" * 100_000 + "}"
    assert read(tmp_path, "Patient", deep).frame["id"].to_list() == ["A"]


def test_resources_of_other_types_are_counted(tmp_path: Path) -> None:
    kinds = ("Patient", "MedicationRequest", "Bundle", "Bundle")
    found = read(tmp_path, "Patient", *({"resourceType": kind} for kind in kinds))
    assert found.frame.height == 1
    assert found.remarks == [
        "2 resources of Bundle not read as Patient: take the resources out of their bundles, "
        "one in each line",
        "1 resource of MedicationRequest not read as Patient: an order is no administration",
    ]


@pytest.mark.parametrize(
    ("quantity", "value", "unit"),
    [
        ({"value": 3.7, "unit": "GBq", "system": UCUM, "code": "GBq"}, "3.7", "GBq"),
        ({"value": 3700000, "system": UCUM, "code": "kBq"}, "3700.0", "MBq"),
        ({"value": 0.05, "comparator": "<", "system": UCUM, "code": "m[IU]/L"}, "0.05", "mIU/L"),
        ({"value": 5, "system": UCUM, "code": "mU/L"}, "5", "mU/L"),
        ({"value": 5, "unit": "MCI"}, "5", "MCI"),
    ],
)
def test_a_value_in_ucum_has_the_contract_s_unit_and_any_other_its_own(
    tmp_path: Path, quantity: dict[str, Any], value: str, unit: str
) -> None:
    row = one(tmp_path, resourceType="Observation", valueQuantity=quantity)
    assert (row["valueQuantity_value"], row["valueQuantity_unit"]) == (value, unit)
    assert row["valueQuantity_comparator"] == quantity.get("comparator")


def test_a_contained_medication_is_that_of_the_reference(tmp_path: Path) -> None:
    contained = [
        {"resourceType": "Medication", "id": "n", "code": concept((SCT, "no"))},
        {
            "resourceType": "Medication",
            "id": "m",
            "code": concept(("http://www.whocc.no/atc", "V")),
        },
    ]
    row = one(
        tmp_path,
        resourceType="MedicationAdministration",
        contained=contained,
        medicationReference={"reference": "#m"},
        dosage={"dose": {"value": 100, "system": UCUM, "code": "mCi"}},
    )
    assert (row["contained_atc"], row["contained_snomed"]) == ("V", None)
    assert (row["dosage_dose_value"], row["dosage_dose_unit"]) == ("100", "mCi")


def test_what_changes_the_meaning_of_a_resource_is_said_of_it(tmp_path: Path) -> None:
    assert one(tmp_path, resourceType="Condition")["modified"] is None
    said = one(tmp_path, resourceType="Condition", modifierExtension=[{"url": "x"}])
    assert said["modified"] == "yes"


def test_a_source_can_be_the_resources_of_some_codes(tmp_path: Path) -> None:
    lines = [{"resourceType": "Observation", "id": c, "code": concept((LOINC, c))} for c in "abc"]
    found = read(tmp_path, "Observation", *lines, "{", options={"codes": "a c"})
    assert found.frame["id"].to_list() == ["a", "c", None]
    assert found.remarks == ["1 resource of Observation with other codes not read here"]


def test_extensions_components_links_and_periods_are_found_among_others(tmp_path: Path) -> None:
    url = "http://hl7.org/fhir/us/mcode/StructureDefinition/mcode-histology-morphology-behavior"
    oncology = "http://terminology.hl7.org/CodeSystem/icd-o-3"
    value = concept((oncology, "8260/3"))
    extensions = [{"url": "x", "valueString": "y"}, {"url": url, "valueCodeableConcept": value}]
    row = one(tmp_path, resourceType="Condition", extension=extensions)
    assert row["histology_icdo3"] == "8260/3"
    parts = [
        {"code": concept((LOINC, "x")), "valueQuantity": {"value": 9}},
        {"code": concept((LOINC, "33728-7")), "valueQuantity": {"value": 2.5, "unit": "cm"}},
    ]
    row = one(tmp_path, resourceType="Observation", component=parts)
    assert (row["longest_value"], row["longest_unit"]) == ("2.5", "cm")
    links = [{"type": "seealso", "other": {"reference": "Patient/x"}}]
    links += [{"type": "replaced-by", "other": {"reference": "Patient/new"}}]
    assert one(tmp_path, resourceType="Patient", link=links)["replaced_by"] == "new"
    period = {"start": "2020-01-02T00:00:00+01:00", "end": "2020-01-03"}
    row = one(tmp_path, resourceType="Procedure", performedPeriod=period)
    assert (row["performed"], row["performed_end"]) == ("2020-01-02T00:00:00+01:00", "2020-01-03")


@pytest.mark.parametrize("kind", RESOURCES)
def test_every_type_is_read_from_an_empty_resource_and_from_elements_of_the_wrong_kind(
    tmp_path: Path, kind: str
) -> None:
    names = {path[2:].split(".")[0].split("[")[0] for one in RESOURCES[kind] for path in one.paths}
    odd = [dict.fromkeys(names, value) for value in ("x", 1, [], [1], {"a": 1}, None)]
    found = read(tmp_path, kind, *({"resourceType": kind} | one for one in odd))
    assert found.frame.height == len(odd)
    assert found.frame["_bad"].null_count() == len(odd)


def test_an_unknown_type_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NightRefused, match="want one of Patient, Condition"):
        read(tmp_path, "Bundle")
