"""The elements of FHIR R4 resources that are read, and the columns that they become.

A concept becomes a column for each coding system (`code_snomed`), with its code; several codes of
one system stand with a | between them. Extensions are those of mCODE.
"""

from typing import Literal, NamedTuple

Kind = Literal["text", "concept", "contained", "codes", "quantity", "patient", "named", "replaced"]
"""What a column is: a text; the codes of a concept by system, or all; a value with its unit; the id
of a patient, or of any resource that is named; the patient who took another's place; a concept of a
contained resource."""

SYSTEMS: dict[str, tuple[str, ...]] = {
    "snomed": ("http://snomed.info/sct",),
    "loinc": ("http://loinc.org",),
    "icd10": (
        "http://hl7.org/fhir/sid/icd-10-cm",
        "http://hl7.org/fhir/sid/icd-10",
        "http://fhir.de/CodeSystem/bfarm/icd-10-gm",
    ),
    "icdo3": ("http://terminology.hl7.org/CodeSystem/icd-o-3",),
    "atc": ("http://www.whocc.no/atc", "http://fhir.de/CodeSystem/bfarm/atc"),
    "rxnorm": ("http://www.nlm.nih.gov/research/umls/rxnorm",),
    "cpt": ("http://www.ama-assn.org/go/cpt",),
}
"""Column -> the systems whose codes it has; `other` has the rest as `system|code`."""

_MCODE = "http://hl7.org/fhir/us/mcode/StructureDefinition/"


class Element(NamedTuple):
    """An element, or the first that is there of several."""

    column: str
    kind: Kind
    paths: tuple[str, ...]
    extension: str = ""
    """The url of the extension in which it is."""
    component: str = ""
    """The code of the component in which it is."""


def _text(*names: str) -> tuple[Element, ...]:
    return tuple(Element(name.replace(".", "_"), "text", (f"$.{name}",)) for name in names)


def _of(kind: Kind, *names: str) -> tuple[Element, ...]:
    plain = (name.replace(".", "_").removesuffix("[0]") for name in names)
    return tuple(
        Element(column, kind, (f"$.{name}",)) for column, name in zip(plain, names, strict=True)
    )


def _time(column: str, *names: str) -> Element:
    return Element(column, "text", tuple(f"$.{name}" for name in names))


_SUBJECT = Element("patient", "patient", ("$.subject.reference",))
_COMMON = (
    *_text("id", "status"),
    _time("version", "meta.versionId"),
    _time("updated", "meta.lastUpdated"),
    _time("profile", "meta.profile"),
)
_EFFECTIVE = (
    _time("effective", "effectiveDateTime", "effectiveInstant", "effectivePeriod.start"),
    _time("effective_end", "effectivePeriod.end"),
)

RESOURCES: dict[str, tuple[Element, ...]] = {
    "Patient": (
        *_COMMON,
        *_text("active", "gender", "birthDate", "deceasedBoolean", "deceasedDateTime"),
        Element("centre", "text", ("$.managingOrganization.display",)),
        Element("replaced_by", "replaced", ("$.link",)),
    ),
    "Condition": (
        *_COMMON,
        _SUBJECT,
        *_of("codes", "clinicalStatus", "verificationStatus"),
        *_of("concept", "code", "bodySite[0]"),
        _time("onset", "onsetDateTime", "onsetPeriod.start"),
        *_text("recordedDate"),
        Element(
            "histology",
            "concept",
            ("$.valueCodeableConcept",),
            _MCODE + "mcode-histology-morphology-behavior",
        ),
        Element(
            "related",
            "named",
            ("$.valueReference.reference",),
            "http://hl7.org/fhir/StructureDefinition/condition-related",
        ),
    ),
    "Observation": (
        *_COMMON,
        _SUBJECT,
        *_of("concept", "code", "valueCodeableConcept", "bodySite", "method", "interpretation[0]"),
        *_EFFECTIVE,
        *_of("quantity", "valueQuantity"),
        *_text("valueString", "valueBoolean", "valueInteger"),
        Element("focus", "named", ("$.focus[0].reference",)),
        *_of("concept", "dataAbsentReason"),
        Element("longest", "quantity", ("$.valueQuantity",), component="33728-7"),
    ),
    "Procedure": (
        *_COMMON,
        _SUBJECT,
        *_of("concept", "code", "bodySite[0]", "statusReason"),
        _time("performed", "performedDateTime", "performedPeriod.start"),
        _time("performed_end", "performedPeriod.end"),
    ),
    "MedicationAdministration": (
        *_COMMON,
        _SUBJECT,
        Element("medication", "concept", ("$.medicationCodeableConcept",)),
        Element("contained", "contained", ("$.contained", "$.medicationReference.reference")),
        Element("medication", "named", ("$.medicationReference.reference",)),
        *_EFFECTIVE,
        *_of("quantity", "dosage.dose"),
        *_of("concept", "statusReason[0]"),
    ),
    "Medication": (*_COMMON, *_of("concept", "code")),
    "ImagingStudy": (
        *_COMMON,
        _SUBJECT,
        *_text("started", "description"),
        Element("modality", "codes", ("$.modality",)),
        *_of("concept", "procedureCode[0]"),
    ),
    "DiagnosticReport": (
        *_COMMON,
        _SUBJECT,
        *_of("concept", "code", "conclusionCode[0]"),
        *_EFFECTIVE,
        *_text("issued", "conclusion"),
    ),
}
"""Type of resource -> its elements. Orders (MedicationRequest) are none: nothing was given."""
