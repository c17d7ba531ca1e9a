"""The cohorts that the models were developed on: the published counts, each in one place."""

from dataclasses import dataclass

LIU_WITH, LIU_WITHOUT = 223, 181
LIU_COUNTS = {
    "age_48": (129, 67),
    "recurrence": (92, 20),
    "site_count": (80, 11),
    "fdg_uptake": (162, 11),
}
"""Liu 2022, Tables 1 and 4: patients with each predictor at its worse level, among those with
RR-DTC and without. Recurrence is 92 of 223 with RR-DTC, as the model card explains."""

JIN_TRAINING, JIN_ALL = 288, 412
JIN_COUNTS = {
    "male": 93,
    "age_55": 111,
    "other_organs": 61,
    "stg_500": 132,
    "primary_nonuptake": 84,
    "secondary_nonuptake": 70,
    "uptake": 134,
    "FTC": 37,
    "PDTC": 6,
}
"""Jin 2025, Table 1: of the 288 patients of the training set."""


@dataclass(frozen=True)
class Activity:
    """The first 131I activity, mCi, as printed."""

    quartiles: tuple[float, float, float]
    mean: float
    sd: float


DEVELOPED = {"Liu 2022": "liu2022_score", "Jin 2025": "jin2025_os"}
"""Cohort -> a model developed on it: who that is for can be compared with the cohort."""

GBQ = 1000 / 37
"""mCi in one GBq."""
JIN_ACTIVITY = Activity((150, 180, 200), 6.05 * GBQ, 1.35 * GBQ)
"""Jin 2025, Table 1 (quartiles) and Results (6.05 +/- 1.35 GBq)."""


@dataclass(frozen=True)
class Share:
    """The share of a development cohort with a level of a variable (published counts)."""

    cohort: str
    feature: str
    level: str
    label: str
    count: int
    of: int
    source: str

    @property
    def value(self) -> float:
        """The share itself."""
        return self.count / self.of


def _liu(feature: str, level: str, label: str) -> Share:
    source = "Liu 2022, Tables 1 and 3: patients with and without RR-DTC"
    count, size = sum(LIU_COUNTS[feature]), LIU_WITH + LIU_WITHOUT
    return Share("Liu 2022", feature, level, label, count, size, source)


def _jin(feature: str, level: str, label: str, name: str) -> Share:
    source = "Jin 2025, Table 1: training set"
    return Share("Jin 2025", feature, level, label, JIN_COUNTS[name], JIN_TRAINING, source)


SHARES = (
    _liu("age_48", "yes", "aged 48 or older at diagnosis"),
    _liu("recurrence", "yes", "recurrence before 131I"),
    _liu("site_count", "multi", "two or more metastatic sites"),
    _liu("fdg_uptake", "positive", "FDG-positive"),
    _jin("sex", "male", "male", "male"),
    _jin("age_55", "yes", "aged 55 or older at first 131I", "age_55"),
    _jin("extent", "lung_and_other", "lung and other organs", "other_organs"),
    _jin("stg_500", "at_or_above", "stimulated Tg 500 ng/mL or more", "stg_500"),
    _jin("uptake_category", "primary_nonuptake", "primary non-uptake", "primary_nonuptake"),
    _jin("uptake_category", "secondary_nonuptake", "secondary non-uptake", "secondary_nonuptake"),
)
