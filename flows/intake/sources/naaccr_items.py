"""The items of NAACCR XML that a thyroid registry's mapping reads, as the dictionaries have them.

Source: the base dictionaries 230 to 260 of the standard (naaccrId, number, parent element).
"""

from typing import NamedTuple

VERSIONS = range(23, 27)


class Item(NamedTuple):
    """An item of the standard."""

    id: str
    number: int
    parent: str
    first: int = VERSIONS[0]
    """The first of VERSIONS whose dictionary has it."""
    last: int = VERSIONS[-1]


ITEMS: dict[str, Item] = {
    item.id: item
    for item in (
        Item("patientIdNumber", 20, "Patient"),
        Item("sex", 220, "Patient", 23, 25),
        Item("sexAssignedAtBirth", 225, "Patient", 26, 26),
        Item("dateOfBirth", 240, "Patient"),
        Item("vitalStatus", 1760, "Patient"),
        Item("dateOfLastContact", 1750, "Patient"),
        Item("causeOfDeath", 1910, "Patient"),
        Item("icdRevisionNumber", 1920, "Patient"),
        Item("registryId", 40, "NaaccrData"),
        Item("tumorRecordNumber", 60, "Tumor"),
        Item("sequenceNumberCentral", 380, "Tumor"),
        Item("sequenceNumberHospital", 560, "Tumor"),
        Item("primarySite", 400, "Tumor"),
        Item("dateOfDiagnosis", 390, "Tumor"),
        Item("histologicTypeIcdO3", 522, "Tumor"),
        Item("behaviorCodeIcdO3", 523, "Tumor"),
        Item("ajccTnmClinT", 1001, "Tumor"),
        Item("ajccTnmClinN", 1002, "Tumor"),
        Item("ajccTnmClinM", 1003, "Tumor"),
        Item("ajccTnmClinStageGroup", 1004, "Tumor"),
        Item("ajccTnmPathT", 1011, "Tumor"),
        Item("ajccTnmPathN", 1012, "Tumor"),
        Item("ajccTnmPathM", 1013, "Tumor"),
        Item("ajccTnmPathStageGroup", 1014, "Tumor"),
        Item("ajccTnmPostTherapyT", 1021, "Tumor"),
        Item("tnmEditionNumber", 1060, "Tumor"),
        Item("eodPrimaryTumor", 772, "Tumor"),
        Item("eodRegionalNodes", 774, "Tumor"),
        Item("eodMets", 776, "Tumor"),
        Item("summaryStage2018", 764, "Tumor"),
        Item("tumorSizeSummary", 756, "Tumor"),
        Item("tumorSizeClinical", 752, "Tumor"),
        Item("tumorSizePathologic", 754, "Tumor"),
        Item("metsAtDxBone", 1112, "Tumor"),
        Item("metsAtDxBrain", 1113, "Tumor"),
        Item("metsAtDxDistantLn", 1114, "Tumor"),
        Item("metsAtDxLiver", 1115, "Tumor"),
        Item("metsAtDxLung", 1116, "Tumor"),
        Item("metsAtDxOther", 1117, "Tumor"),
        Item("rxSummSurgPrimSite", 1290, "Tumor"),
        Item("rxSummSurgPrimSite2023", 1291, "Tumor"),
        Item("rxSummScopeRegLnSur", 1292, "Tumor"),
        Item("rxDateSurgery", 1200, "Tumor"),
        Item("rxDateMostDefinSurg", 3170, "Tumor"),
        Item("phase1RadiationTreatmentModality", 1506, "Tumor"),
        Item("phase2RadiationTreatmentModality", 1516, "Tumor"),
        Item("phase3RadiationTreatmentModality", 1526, "Tumor"),
        Item("phase1TotalDose", 1507, "Tumor"),
        Item("phase2TotalDose", 1517, "Tumor"),
        Item("phase3TotalDose", 1527, "Tumor"),
        Item("totalDose", 1533, "Tumor"),
        Item("rxDateRadiation", 1210, "Tumor"),
        Item("rxDateRadiationEnded", 3220, "Tumor"),
        Item("rxTextRadiation", 2620, "Tumor"),
        Item("rxTextRadiationOther", 2630, "Tumor"),
        Item("recurrenceDate1st", 1860, "Tumor"),
        Item("recurrenceType1st", 1880, "Tumor"),
        Item("cancerStatus", 1770, "Tumor"),
        Item("dateOfLastCancerStatus", 1772, "Tumor"),
        Item("rxSummRadiation", 1360, "Tumor"),
        Item("radRegionalRxModality", 1570, "Tumor"),
    )
}
BY_NUMBER = {item.number: item.id for item in ITEMS.values()}
