"""The cohorts that the models were developed on: published shares, to see how ours differ."""

from dataclasses import dataclass


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


_LIU = ("Liu 2022", 404, "Liu 2022, Tables 1 and 3: patients with and without RR-DTC")
_JIN = ("Jin 2025", 288, "Jin 2025, Table 1: training set")


def _of(about: tuple[str, int, str], feature: str, level: str, label: str, count: int) -> Share:
    cohort, size, source = about
    return Share(cohort, feature, level, label, count, size, source)


SHARES = (
    _of(_LIU, "age_48", "yes", "aged 48 or older at diagnosis", 129 + 67),
    _of(_LIU, "recurrence", "yes", "recurrence before 131I", 92 + 20),
    _of(_LIU, "site_count", "multi", "two or more metastatic sites", 80 + 11),
    _of(_LIU, "fdg_uptake", "positive", "FDG-positive", 162 + 11),
    _of(_JIN, "sex", "male", "male", 93),
    _of(_JIN, "age_55", "yes", "aged 55 or older at first 131I", 111),
    _of(_JIN, "extent", "lung_and_other", "lung and other organs", 61),
    _of(_JIN, "stg_500", "at_or_above", "stimulated Tg 500 ng/mL or more", 132),
    _of(_JIN, "uptake_category", "primary_nonuptake", "primary non-uptake", 84),
    _of(_JIN, "uptake_category", "secondary_nonuptake", "secondary non-uptake", 70),
)
"""Recurrence in Liu 2022 is 92 of 223 with RR-DTC, as the model card explains."""
