"""A model for other systems: JSON, DuckDB SQL macros, and an R function.

All give the same as `models.engine`: points, risk group and prediction, each with the bounds over
what is missing (NULL in SQL, NA in R) and over the interval of the inferred constants.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from models.points import effects, points_per_unit
from models.spec import Model, Predictor


def to_json(model: Model) -> str:
    """Return the whole model: every number with its source and status."""
    return model.model_dump_json(indent=2, exclude_defaults=True)


@dataclass(frozen=True)
class _Sums:
    """The pieces of the linear predictor that both languages write down."""

    start: float
    lowest: float
    per_unit: float
    sides: dict[str, dict[str, float]]
    """Side (lower, upper, least, most) -> predictor -> its effect when it is missing."""


def _sums(model: Model) -> _Sums:
    of = {predictor.name: effects(model, predictor) for predictor in model.predictors}
    sides = {
        "lower": {name: effect.low for name, effect in of.items()},
        "upper": {name: effect.high for name, effect in of.items()},
        "least": {name: effect.least for name, effect in of.items()},
        "most": {name: effect.most for name, effect in of.items()},
    }
    start = model.intercept.value if model.intercept else 0.0
    return _Sums(start, sum(sides["lower"].values()), points_per_unit(model), sides)


def _ends(model: Model, predictor: Predictor) -> dict[str, dict[str, float]]:
    """Return the effects of a predictor's levels: "" as they are, and at either end."""
    effect = effects(model, predictor)
    return {
        "": effect.levels,
        "least": {value: low for value, (low, _) in effect.intervals.items()},
        "most": {value: high for value, (_, high) in effect.intervals.items()},
    }


def _effect_name(model: Model, predictor: Predictor, side: str) -> str:
    """Return which effect a side adds up: only inferred ones have ends of their own."""
    ends = _ends(model, predictor)
    return f"_{side}" if side in ends and ends[side] != ends[""] else ""


def _number(value: float) -> str:
    return repr(float(value))


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


# -- SQL -------------------------------------------------------------------------------------


def to_sql(model: Model) -> str:
    """Return DuckDB macros, each of the model's predictors in order.

    `<model>_points` with `_lower` and `_upper`, `<model>_risk`, and the predictions.
    """
    names = [predictor.name for predictor in model.predictors]
    arguments = ", ".join(names)
    macros = [text for predictor in model.predictors for text in _sql_effects(model, predictor)]

    def macro(name: str, body: str) -> None:
        macros.append(f"CREATE OR REPLACE MACRO {model.name}_{name}({arguments}) AS\n  {body};")

    def call(name: str) -> str:
        return f"{model.name}_{name}({arguments})"

    sums = _sums(model)
    for side, missing in sums.sides.items():
        terms = [_number(sums.start)]
        for predictor in model.predictors:
            name, end = predictor.name, _effect_name(model, predictor, side)
            effect = f"{model.name}_effect{end}_{name}({name})"
            terms.append(f"coalesce({effect}, {_number(missing[name])})")
        macro(f"lp_{side}", " + ".join(terms))
    for side in ("lower", "upper"):
        shifted = f"{call(f'lp_{side}')} - {_number(sums.start)} - {_number(sums.lowest)}"
        macro(f"points_{side}", f"round(({shifted}) * {_number(sums.per_unit)}, 9)")
    known = " AND ".join(f"{name} IS NOT NULL" for name in names)
    macro("points", f"CASE WHEN {known} THEN {call('points_lower')} END")
    if model.cutoff:
        limit = f"{model.cutoff.high} {_number(model.cutoff.points.value)}"
        high, low = f"{call('points_lower')} {limit}", f"NOT ({call('points_upper')} {limit})"
        macro(
            "risk", f"CASE WHEN {high} THEN 'high' WHEN {low} THEN 'low' ELSE 'indeterminate' END"
        )
    for name, value, low_value, high_value in _predictions(model, _sql_survival):
        macro(name, f"CASE WHEN {known} THEN {value(call('lp_lower'))} END")
        macro(f"{name}_lower", low_value(call))
        macro(f"{name}_upper", high_value(call))
    head = [f"-- {model.title} ({model.name}), doi:{model.doi}", f"-- Arguments: {arguments}."]
    return "\n".join([*head, "-- NULL: missing.", *macros]) + "\n"


def _sql_effects(model: Model, predictor: Predictor) -> list[str]:
    name = predictor.name
    if not predictor.levels:
        centre = predictor.centre.value if predictor.centre else 0.0
        bodies = {"": f"({name} - {_number(centre)}) * {_number(effects(model, predictor).slope)}"}
    else:
        bodies = {
            _effect_name(model, predictor, side): f"CASE {name} {_sql_cases(levels)} END"
            for side, levels in _ends(model, predictor).items()
        }
    return [
        f"CREATE OR REPLACE MACRO {model.name}_effect{end}_{name}({name}) AS\n  {body};"
        for end, body in bodies.items()
    ]


def _sql_cases(levels: dict[str, float]) -> str:
    return " ".join(f"WHEN {_text(v)} THEN {_number(effect)}" for v, effect in levels.items())


def _logistic(linear_predictor: str) -> str:
    return f"1 / (1 + exp(-({linear_predictor})))"


def _sql_survival(baseline: float, linear_predictor: str) -> str:
    return f"pow({_number(baseline)}, exp({linear_predictor}))"


_Value = Callable[[str], str]
_Bound = Callable[[Callable[[str], str]], str]


def _predictions(
    model: Model, survival: Callable[[float, str], str]
) -> list[tuple[str, _Value, _Bound, _Bound]]:
    """Return each prediction: name, its expression, and those of its bounds."""
    found: list[tuple[str, _Value, _Bound, _Bound]] = []
    if model.family == "logistic" and model.intercept:
        value, (low, high) = model.intercept.value, model.intercept.bounds
        below, above = _number(low - value), _number(high - value)
        found.append(
            (
                "probability",
                _logistic,
                lambda lp: _logistic(f"{lp('lp_least')} + {below}"),
                lambda lp: _logistic(f"{lp('lp_most')} + {above}"),
            )
        )
    for horizon in model.baseline:
        low, high = horizon.survival.bounds
        found.append(
            (
                f"survival_{horizon.years}y",
                partial(survival, horizon.survival.value),
                _at(partial(survival, low), "lp_most"),
                _at(partial(survival, high), "lp_least"),
            )
        )
    return found


def _at(prediction: _Value, bound: str) -> _Bound:
    return lambda lp: prediction(lp(bound))


# -- R ---------------------------------------------------------------------------------------


def to_r(model: Model) -> str:
    """Return an R function of the model's predictors (vectors), giving a data frame."""
    names = [predictor.name for predictor in model.predictors]
    sums = _sums(model)
    lines = [
        f"# {model.title} ({model.name}), doi:{model.doi}",
        "# Vectors of equal length; NA: missing. Returns a data frame, one row per patient.",
        f"{model.name} <- function({', '.join(names)}) {{",
    ]
    for predictor in model.predictors:
        lines += _r_effects(model, predictor)
    for side, missing in sums.sides.items():
        terms = [_number(sums.start)]
        for predictor in model.predictors:
            effect = f"effect{_effect_name(model, predictor, side)}_{predictor.name}"
            terms.append(f"ifelse(is.na({effect}), {_number(missing[predictor.name])}, {effect})")
        lines.append(f"  lp_{side} <- " + " +\n    ".join(terms))
    for side in ("lower", "upper"):
        shifted = f"lp_{side} - {_number(sums.start)} - {_number(sums.lowest)}"
        lines.append(f"  points_{side} <- round(({shifted}) * {_number(sums.per_unit)}, 9)")
    known = " & ".join(f"!is.na({name})" for name in names)
    lines.append(f"  known <- {known}")
    columns = ["points = ifelse(known, points_lower, NA)", "points_lower", "points_upper"]
    if model.cutoff:
        limit = f"{model.cutoff.high} {_number(model.cutoff.points.value)}"
        open_flag = f"ifelse(!(points_upper {limit}), 'low', 'indeterminate')"
        columns.append(f"risk = ifelse(points_lower {limit}, 'high', {open_flag})")
    for name, value, low_value, high_value in _predictions(model, _r_survival):
        columns.append(f"{name} = ifelse(known, {value('lp_lower')}, NA)")
        columns.append(f"{name}_lower = {low_value(str)}")
        columns.append(f"{name}_upper = {high_value(str)}")
    named = [column if " = " in column else f"{column} = {column}" for column in columns]
    lines.append("  data.frame(" + ",\n    ".join([*named, "stringsAsFactors = FALSE"]) + ")")
    return "\n".join([*lines, "}"]) + "\n"


def _r_effects(model: Model, predictor: Predictor) -> list[str]:
    name = predictor.name
    if not predictor.levels:
        centre = predictor.centre.value if predictor.centre else 0.0
        slope = _number(effects(model, predictor).slope)
        return [f"  effect_{name} <- ({name} - {_number(centre)}) * {slope}"]
    lines = {}
    for side, levels in _ends(model, predictor).items():
        table = ", ".join(f'"{value}" = {_number(effect)}' for value, effect in levels.items())
        variable = f"effect{_effect_name(model, predictor, side)}_{name}"
        lines[variable] = f"  {variable} <- unname(c({table})[as.character({name})])"
    return list(lines.values())


def _r_survival(baseline: float, linear_predictor: str) -> str:
    return f"{_number(baseline)}^exp({linear_predictor})"
