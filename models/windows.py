"""Windows that are not the paper's: a model with them is not quite the published one."""

from collections.abc import Mapping

from models.parts import Model


def modified_windows(model: Model, windows: Mapping[str, float]) -> dict[str, tuple[float, float]]:
    """Return the windows of a model that are set otherwise: name -> the paper's and the set value.

    `windows` has every window in force by name; what the model's paper does not print is left out.
    """
    return {
        name: (paper.value, windows[name])
        for name, paper in model.windows.items()
        if name in windows and windows[name] != paper.value
    }
