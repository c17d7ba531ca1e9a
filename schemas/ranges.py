"""What a measurement can be in each unit, and what it usually is, with the source of each.

`possible` are physical, physiological or technical limits: a cell beyond them is set aside. `usual`
are what nearly all values are: beyond them a value is used, and counted. Wide on purpose: a limit
that sets a true value aside does harm, one that lets a wrong unit through leaves it to the
comparison between nights. A source that is judgement says so.
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
    "possible: dosimetry-guided courses reach 38.5 GBq (Dorn 2003, J Nucl Med 44:451). "
    "usual: remnant ablation from 1 GBq, metastases up to 11 GBq, less in children (EANM "
    "guidelines 2008, doi 10.1007/s00259-008-0883-1)"
)
_NODULE = (
    "possible: no lung is higher than 30 cm (anatomy). usual: a nodule is at most 3 cm, a mass "
    "above (Fleischner Society glossary 2008, doi 10.1148/radiol.2462070712)"
)
_TUMOUR = (
    "possible: no neck holds more than 30 cm (anatomy). usual: up to 10 cm (judgement; the TNM "
    "classification knows no limit above 4 cm)"
)
_TG = (
    "possible: 10 g/L would be a sixth of all protein in serum (physiology). usual: up to 100 mg/L "
    "with extensive metastases (judgement)"
)
_TGAB = (
    "possible: a thousand times beyond the measuring ranges of immunoassays, a few thousand IU/mL "
    "undiluted (technical). usual: those ranges with dilution (judgement)"
)
_TSH = (
    "possible: a hundred times beyond the measuring ranges of immunoassays, about 100 mIU/L "
    "undiluted (technical). usual: those ranges diluted tenfold (judgement)"
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
        "possible: 500 is 0.7 % of all activity in one gram of a person of 70 kg (physics). "
        "usual: up to 100 (judgement)",
    ),
    Range("labs", "value", ("ng/mL", "ug/L", "µg/L"), (0, 1e7), (0, 1e5), _TG, "Tg"),
    Range("labs", "value", ("pmol/L",), (0, 1.5e7), (0, 1.5e5), _TG, "Tg"),
    Range("labs", "value", ("IU/mL", "kIU/L"), (0, 4e6), (0, 4e4), _TGAB, "TgAb"),
    Range("labs", "value", ("mIU/L", "uIU/mL", "µIU/mL"), (0, 1e4), (0, 1e3), _TSH, "TSH"),
)


def ranges_of(table: str) -> tuple[Range, ...]:
    """Return the ranges of a table's columns."""
    return tuple(one for one in RANGES if one.table == table)
