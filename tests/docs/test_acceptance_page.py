"""The page about acceptance says the tolerances that a night has."""

import re
from pathlib import Path

from transforms.acceptance.tolerances import Tolerance, Tolerances

PAGE = (Path(__file__).parents[2] / "docs" / "acceptance.md").read_text("utf-8")


def number(cell: str) -> float:
    """Read a tolerance of the page: shares are in %, or in points of them."""
    if cell == "any":
        return 0
    (digits,) = re.findall(r"\d+", cell)
    return float(digits) / (100 if "%" in cell or "point" in cell else 1)


def test_the_page_has_each_comparison_with_its_defaults() -> None:
    rows = [line.strip("| ").split(" | ") for line in PAGE.splitlines() if line.startswith("| `")]
    said = {
        name.strip("`"): Tolerance(
            warn=number(warn), refuse=number(refuse), least=int(number(least[0])) if least else 1
        )
        for name, _, warn, refuse, *least in ([cell.strip(" |") for cell in row] for row in rows)
    }
    defaults = dict(Tolerances())
    assert defaults.pop("nights") == 7
    assert said == defaults
