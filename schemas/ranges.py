"""What a measurement can be in each unit, and what it usually is, with the source of each.

`possible` are physical, physiological or technical limits: a cell beyond them is set aside. `usual`
are what nearly all values are: beyond them a value is used, and counted. Wide on purpose: a limit
that sets a true value aside does harm, one that lets a wrong unit through leaves it to the
comparison between nights. A source says what of it was read; what nobody looked up is called
judgement, or not checked.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Range:
    """The limits, both included, of a column in units of the same size."""

    table: str
    column: str
    units: tuple[str, ...]
    """Empty where the column has no unit."""
    possible: tuple[float, float]
    usual: tuple[float, float]
    source: str
    analyte: str | None = None

    @property
    def where(self) -> str:
        """What it is a range of: analyte and units."""
        return " ".join(filter(None, (self.analyte, " or ".join(self.units))))

    @property
    def impossible(self) -> str:
        """The reason of a cell beyond the possible limits."""
        low, high = self.possible
        within = f" in {self.where}" if self.where else ""
        return f"{self.column}: not possible{within}, {low:g} to {high:g}"


MCI_PER_GBQ = 1000 / 37
_ACTIVITY = (
    "possible: judgement, above what dosimetry-guided courses reach (there are such courses: "
    "J Nucl Med 44:451, title read, its activities not checked). usual: judgement, from low "
    "remnant ablation to metastases (the guidelines of the EANM 2008, doi "
    "10.1007/s00259-008-0883-1: abstract read, its activities not checked)"
)
_NODULE = (
    "possible: no lung is higher than 30 cm (judgement). usual: a nodule is at most 3 cm (a table "
    "of definitions in Thorax, read), a mass above (Fleischner Society, as RadLex quotes it, read; "
    "the glossary itself, Radiology 2008;246:697, was not)"
)
_TUMOUR = "possible: no neck holds more than 30 cm (judgement). usual: up to 10 cm (judgement)"
_TG = (
    "possible: 10 g/L would be a large part of all protein in serum (judgement). usual: up to "
    "100 mg/L with extensive metastases (judgement)"
)
_TGAB = (
    "possible: judgement, a thousand times what a laboratory reports (15 to 4000 IU/mL: Clinical "
    "Pathology Laboratories, 2024, read). usual: ten times that (judgement)"
)
_TSH = (
    "possible: judgement, a hundred times beyond a range of about 100 mIU/L (a rapid test measures "
    "up to 100, its maker's page, read; the large analysers' package inserts were not checked). "
    "usual: ten times that range (judgement)"
)


def _activity(unit: str, per_gbq: float) -> Range:
    return Range(
        "i131_treatments",
        "activity",
        (unit,),
        (0, round(40 * per_gbq)),
        (round(0.5 * per_gbq, 3), round(11.2 * per_gbq, 3)),
        _ACTIVITY,
    )


RANGES: tuple[Range, ...] = (
    _activity("GBq", 1),
    _activity("MBq", 1000),
    _activity("mCi", MCI_PER_GBQ),
    Range("imaging", "largest_lung_nodule", ("mm",), (0, 300), (1, 30), _NODULE),
    Range("imaging", "largest_lung_nodule", ("cm",), (0, 30), (0.1, 3), _NODULE),
    Range("diagnoses", "tumour_size", ("mm",), (0, 300), (1, 100), _TUMOUR),
    Range("diagnoses", "tumour_size", ("cm",), (0, 30), (0.1, 10), _TUMOUR),
    Range(
        "imaging",
        "suv_max",
        (),
        (0, 500),
        (0, 100),
        "possible: 500 is 0.7 % of all activity in one gram of a person of 70 kg (arithmetic; "
        "that no lesion has more is judgement). usual: up to 100 (judgement)",
    ),
    Range("labs", "value", ("ng/mL", "ug/L", "µg/L"), (0, 1e7), (0, 1e5), _TG, "Tg"),
    Range("labs", "value", ("pmol/L",), (0, 1.5e7), (0, 1.5e5), _TG, "Tg"),
    Range("labs", "value", ("IU/mL", "kIU/L"), (0, 4e6), (0, 4e4), _TGAB, "TgAb"),
    Range("labs", "value", ("mIU/L", "uIU/mL", "µIU/mL"), (0, 1e4), (0, 1e3), _TSH, "TSH"),
)


def ranges_of(table: str) -> tuple[Range, ...]:
    """Return the ranges of a table's columns."""
    return tuple(one for one in RANGES if one.table == table)
