"""The windows and thresholds of the variables, with the defaults that the papers support."""

from pydantic import BaseModel, ConfigDict, Field


class Windows(BaseModel):
    """Windows around the index date, and thresholds. Days unless the name says otherwise."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    fdg_days: int = Field(7, ge=0, description="FDG PET/CT at most this far from the index date")
    fdg_suv_max: float = Field(2.5, gt=0, description="SUVmax from which a PET/CT is positive")
    metastasis_grace_days: int = Field(
        7, ge=0, description="a site found this long after the index date was there on it"
    )
    lung_months: int = Field(
        6, ge=0, description="lung metastasis found no later than this after the index date"
    )
    nodule_days_before: int = Field(90, ge=0, description="CT at most this long before")
    nodule_days_after: int = Field(30, ge=0, description="CT at most this long after")
    stg_days: int = Field(30, ge=0, description="stimulated Tg at most this long before")
    stg_threshold_ng_ml: float = Field(500, gt=0, description="the threshold of the OS model")
    tsh_stimulated_miu_l: float = Field(30, gt=0, description="TSH from which Tg is stimulated")
    tgab_positive_iu_ml: float = Field(
        40, gt=0, description="TgAb from which Tg may be falsely low; depends on the assay"
    )
    tsh_suppressed_miu_l: float = Field(0.5, gt=0, description="TSH below which Tg is suppressed")
    tg_slope_values: int = Field(
        3, ge=3, description="values that a doubling time of Tg needs, each of a day of its own"
    )
    cumulative_mci: float = Field(600, gt=0, description="RR-DTC criterion 5: more than this")
    progression_years: int = Field(1, ge=1, description="RR-DTC criterion 4: within this")
    scan_days: int = Field(
        7, ge=0, description="a lesion found this long after a course was known by its scan"
    )
    recist_progression: bool = Field(True, description="RECIST PD counts as progression")
    response_change: float = Field(0.25, gt=0, description="relative change of stimulated Tg")
