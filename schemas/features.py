"""The derived variables: `features.parquet`, one row per patient."""

import pandera.polars as pa
import polars as pl

from schemas import codes
from schemas.fields import code, of

YES_NO = ("no", "yes")


class Features(pa.DataFrameModel):
    """One row per patient: every variable, the row and the date that it came from."""

    patient_id: str = of("patient", nullable=False)
    as_of: pl.Date = of("date as of which everything is computed", nullable=False)
    centre: str = of("treating centre")
    birth_date: pl.Date = of("date of birth")
    sex: pl.Enum = code(("female", "male"), "sex; null when unknown")
    died: bool = of("died by the as-of date; null when that is unknown")
    death_date: pl.Date = of("date of death; null when not a whole date")
    death_cause: pl.Enum = code(codes.DEATH_CAUSE, "cause of death")
    last_contact_date: pl.Date = of("last date on which the patient was known to be alive")
    diagnosis_date: pl.Date = of("date of the first diagnosis")
    diagnosis_row: str = of("diagnoses.diagnosis_id of the first diagnosis")
    histology: pl.Enum = code(codes.HISTOLOGY, "histology of the first diagnosis")
    histology_group: pl.Enum = code(codes.HISTOLOGY_GROUP, "histology as Jin 2025 groups it")
    dtc: bool = of("differentiated, without undifferentiated component; null when unknown")
    age_at_diagnosis: pl.Int16 = of("completed years at the first diagnosis")
    age_48: pl.Enum = code(YES_NO, "48 years or older at the first diagnosis")
    thyroidectomy_date: pl.Date = of("date of the first thyroidectomy")
    thyroidectomy_row: str = of("surgeries.surgery_id of the first thyroidectomy")
    thyroidectomy_before_index: bool = of("operated on by the index date")
    months_operation_to_i131: float = of("months from the operation to the index date")
    has_index: bool = of(
        "had a first 131I therapy; null when only a row that cannot be used says so"
    )
    index_date: pl.Date = of(
        "index date: date of the first 131I therapy; null when another row may be earlier"
    )
    index_row: str = of("i131_treatments.treatment_id of the first 131I therapy")
    age_at_index: pl.Int16 = of("completed years on the index date")
    age_55: pl.Enum = code(YES_NO, "55 years or older on the index date")
    recurrence: pl.Enum = code(YES_NO, "recurrence between the operation and 131I")
    recurrence_date: pl.Date = of("date of that recurrence")
    recurrence_row: str = of("events.event_id of that recurrence")
    metastatic: bool = of("a metastasis is known by the index date, 7 days' grace")
    sites: str = of("metastasis sites known by the index date; null when there may be more")
    sites_at_least: str = of("metastasis sites that certainly were known by the index date")
    sites_today_at_least: str = of("metastasis sites that certainly are known tonight")
    sites_known: pl.UInt8 = of("number of distinct sites known by the index date")
    site_count: pl.Enum = code(codes.SITE_COUNT, "single or multi-partial metastases")
    liu_site_group: pl.Enum = code(codes.LIU_SITE_GROUP, "group of sites as in Liu 2022, Fig. 2")
    metastasis_date: pl.Date = of("date of the first metastasis found")
    metastasis_row: str = of("metastases.metastasis_id of the first metastasis found")
    fdg_uptake: pl.Enum = code(
        ("negative", "positive"), "18F-FDG uptake within 7 days of the index date, SUVmax from 2.5"
    )
    fdg_suv_max: float = of("SUVmax of the deciding PET/CT")
    fdg_date: pl.Date = of("date of the deciding PET/CT")
    fdg_row: str = of("imaging.study_id of the deciding PET/CT")
    lung_timing: pl.Enum = code(codes.LUNG_TIMING, "lung metastasis within 6 months of the index")
    extent: pl.Enum = code(codes.EXTENT, "lung alone or with other organs")
    lung_date: pl.Date = of("date of the first lung metastasis found")
    lung_row: str = of("metastases.metastasis_id of the first lung metastasis found")
    activity_mci: float = of("administered activity of the first 131I therapy, mCi")
    cumulative_activity_mci: float = of("sum of all administered activities, mCi")
    cumulative_activity_at_least: float = of("sum of those that are certain, mCi")
    activity_missing_courses: pl.UInt16 = of("courses without a recorded activity")
    courses: pl.UInt16 = of("courses of 131I therapy; null when there may be more or fewer")
    courses_at_least: pl.UInt16 = of("courses of 131I therapy that are certain")
    uptake_category: pl.Enum = code(codes.UPTAKE_CATEGORY, "131I uptake category")
    uptake_provisional: bool = of("fewer than two courses were assessed")
    uptake_reason: str = of("why there is no uptake category")
    uptake_courses_assessed: pl.UInt16 = of("courses with an assessed post-therapy scan")
    uptake_date: pl.Date = of("date of the last assessed course")
    uptake_row: str = of("i131_treatments.treatment_id of the last assessed course")
    nodule_cm: float = of("largest lung nodule on the CT nearest the index (-90 to +30 days), cm")
    nodule_date: pl.Date = of("date of that CT")
    nodule_row: str = of("imaging.study_id of that CT")
    stg_500: pl.Enum = code(
        ("below", "at_or_above"),
        "latest stimulated Tg of the 30 days before the index, against 500 ng/mL",
    )
    stg_ng_ml: float = of("stimulated Tg, ng/mL")
    stg_comparator: pl.Enum = code(codes.COMPARATOR, "comparator of stg_ng_ml")
    stg_date: pl.Date = of("date of that sample")
    stg_row: str = of("labs.lab_id of that sample")
    tgab_interference: bool = of("TgAb-positive that day: Tg may be falsely low")
    tg_doubling_months: float = of(
        "doubling time of suppressed Tg since the last course, months; null where it does not rise"
    )
    tg_slope_n: pl.UInt16 = of("days with a value that the doubling time rests on")
    tg_slope_from: pl.Date = of("first of those days")
    tg_slope_to: pl.Date = of("last of those days")
    disease: pl.Enum = code(YES_NO, "disease beyond the thyroid is known tonight")
    complete_response: pl.Enum = code(
        YES_NO, "the last assessment was a complete response, and nothing was found since"
    )
    complete_response_since: pl.Date = of("day of the first assessment of that complete response")
    rrdtc_met: bool = of("an RR-DTC criterion is met; null unless DTC, or unknown")
    rrdtc_reason: str = of("why it is unknown")
    rrdtc_criterion: pl.UInt8 = of(
        "the type: of criteria 1 to 4 the first in time, 5 only where none of them holds"
    )
    rrdtc_met_date: pl.Date = of("earliest day on which any criterion held")
    response: pl.Enum = code(codes.RESPONSE, "response to 131I")
    response_basis: pl.Enum = code(("RECIST", "sTg"), "what the response rests on")
    response_date: pl.Date = of("date of the response")
    follow_up_months: float = of("months from the index date to death or last contact")
    os_months: float = of("months from the index date to death or last contact")
    os_event: bool = of("died")
    pfs_months: float = of("months from the index date to progression, death or last contact")
    pfs_event: bool = of("progressed or died")
    quarantined_rows: pl.UInt32 = of("rows of the patient that were quarantined", nullable=False)
    cells_set_aside: pl.UInt32 = of("cells of the patient that were set aside", nullable=False)


FEATURES: dict[str, pl.DataType] = {
    name: column.dtype.type for name, column in Features.to_schema().columns.items()
}
"""Name and type of every variable, in order."""
