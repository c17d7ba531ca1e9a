"""What each column of the contract is needed for: predictors, and through them the models."""

from collections.abc import Mapping

from models.parts import Model

NEEDED_FOR: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("patients", "sex"): ("sex",),
    ("patients", "birth_date"): ("age_48", "age_55"),
    ("diagnoses", "diagnosis_date"): ("age_48",),
    ("diagnoses", "histology"): ("histology_group",),
    ("surgeries", "surgery_date"): ("recurrence",),
    ("i131_treatments", "activity"): ("activity_mci",),
    ("i131_treatments", "activity_unit"): ("activity_mci",),
    ("i131_treatments", "lesion_uptake"): ("uptake_category",),
    ("labs", "sample_date"): ("stg_500",),
    ("labs", "analyte"): ("stg_500",),
    ("labs", "value"): ("stg_500",),
    ("labs", "unit"): ("stg_500",),
    ("labs", "comparator"): ("stg_500",),
    ("labs", "stimulated"): ("stg_500",),
    ("imaging", "study_date"): ("fdg_uptake", "nodule_cm"),
    ("imaging", "modality"): ("fdg_uptake", "nodule_cm"),
    ("imaging", "suv_max"): ("fdg_uptake",),
    ("imaging", "largest_lung_nodule"): ("nodule_cm",),
    ("imaging", "largest_lung_nodule_unit"): ("nodule_cm",),
    ("metastases", "detected_date"): ("site_count", "extent"),
    ("metastases", "site"): ("site_count", "extent"),
    ("events", "event_date"): ("recurrence",),
    ("events", "type"): ("recurrence",),
}
"""Table and column -> the predictors that cannot be computed without it."""

ELIGIBILITY: Mapping[tuple[str, str], str] = {
    ("patients", "birth_date"): "age at the first 131I therapy",
    ("diagnoses", "histology"): "that it is a DTC",
    ("surgeries", "surgery_date"): "that the thyroid was operated before 131I",
    ("surgeries", "procedure"): "that the thyroid was operated before 131I",
    ("i131_treatments", "treatment_date"): "the index date",
    ("metastases", "site"): "that there is a metastasis",
}
"""Table and column -> what decides for whom models are, and is unknown without it."""


def needed_for(table: str, column: str, library: Mapping[str, Model]) -> str:
    """Say what a column is needed for; empty where no model asks for it."""
    predictors = NEEDED_FOR.get((table, column), ())
    uses = [
        f"{predictor} ({', '.join(models)})"
        for predictor in predictors
        if (
            models := [
                n for n, m in library.items() if any(p.name == predictor for p in m.predictors)
            ]
        )
    ]
    decides = ELIGIBILITY.get((table, column))
    return "; ".join([*uses, *([decides] if decides else [])])


def lacking(
    found: frozenset[tuple[str, str]], library: Mapping[str, Model]
) -> list[tuple[str, str, str]]:
    """Return what models ask for and nothing was found for: table, column, what for."""
    wanted = dict.fromkeys([*ELIGIBILITY, *NEEDED_FOR])
    return [
        (table, column, needed_for(table, column, library))
        for table, column in sorted(wanted)
        if (table, column) not in found
    ]
