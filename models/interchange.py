"""A model for other systems: JSON, DuckDB SQL macros, and an R function.

All give the same as `models.engine` for an eligible patient: points, risk group and prediction,
each with the bounds over what is missing and over the interval of the inferred constants. Missing
is NULL in SQL and NA in R, a number that is not finite, and a level that the model does not know.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from models.engine import NO_ANSWER
from models.parts import Model, Predictor
from models.points import effects, most_points, points_per_unit


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


def _title(model: Model) -> str:
    """Return the first line of what is exported: a local model says that it is one."""
    source = f"doi:{model.doi}" if model.doi else "no publication"
    return f"{model.title} ({model.name}), " + ("local model" if model.local else source)


def _number(value: float) -> str:
    return repr(float(value))


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


@dataclass(frozen=True)
class _Language:
    """How a language writes what both say."""

    both: str
    either: str
    negated: str
    most: str


_SQL = _Language(" AND ", " OR ", "NOT ", "greatest")
_R = _Language(" & ", " | ", "!", "pmax")


def _sides(model: Model, language: _Language, of: Callable[[str], str]) -> tuple[str, str]:
    """Return where all values of what is missing are high, and where all are low."""
    assert model.cutoff  # noqa: S101
    limit = f"{model.cutoff.high} {_number(model.cutoff.points.value)}"
    high = f"({of('all_points_lower')} {limit})"
    return high, f"({language.negated}({of('all_points_upper')} {limit}))"


def _useful(
    model: Model,
    language: _Language,
    of: Callable[[str], str],
    survival: Callable[[float, str], str],
) -> str:
    """Return where what is missing leaves an answer: see `models.engine`."""
    if model.cutoff:
        span = f"({of('all_points_upper')} - {of('all_points_lower')})"
        answer = f"round({span} / {_number(most_points(model))}, 9) < {NO_ANSWER}"
        return language.either.join([*_sides(model, language, of), f"({answer})"])
    sums, shares = _sums(model), []
    lowest, highest = (
        _number(sums.start + sum(sums.sides[side].values())) for side in ("lower", "upper")
    )
    for _, value, _, _ in _predictions(model, survival):
        span = f"({value(of('lp_upper'))} - ({value(of('lp_lower'))}))"
        shares.append(f"{span} / ({value(highest)} - ({value(lowest)}))")
    widest = f"{language.most}({', '.join(['0.0', *shares])})"
    return f"round({widest}, 9) < {NO_ANSWER}"


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
        macro(f"all_points_{side}", f"round(({shifted}) * {_number(sums.per_unit)}, 9)")
    of = {p.name: f"{model.name}_effect_{p.name}({p.name}) IS NOT NULL" for p in model.predictors}
    macro("known", " AND ".join(of.values()))
    useful = _useful(model, _SQL, call, _sql_survival)
    macro("useful", f"({' OR '.join(of.values())}) AND ({useful})")
    for side in ("lower", "upper"):
        shown = f"CASE WHEN {call('useful')} THEN {call(f'all_points_{side}')} END"
        macro(f"points_{side}", shown)
    macro("points", f"CASE WHEN {call('known')} THEN {call('points_lower')} END")
    if model.cutoff:
        high, low = _sides(model, _SQL, call)
        macro(
            "risk",
            f"CASE WHEN NOT {call('useful')} THEN 'indeterminate' WHEN {high} THEN 'high' "
            f"WHEN {low} THEN 'low' ELSE 'indeterminate' END",
        )
    for name, value, low_value, high_value in _predictions(model, _sql_survival):
        least, most = low_value(call), high_value(call)
        shown = f"{call('useful')} AND {most} - {least} < {NO_ANSWER}"
        macro(name, f"CASE WHEN {call('known')} AND {shown} THEN {value(call('lp_lower'))} END")
        macro(f"{name}_lower", f"CASE WHEN {shown} THEN {least} END")
        macro(f"{name}_upper", f"CASE WHEN {shown} THEN {most} END")
    head = [f"-- {_title(model)}", f"-- Arguments: {arguments}."]
    head += ["-- Missing: NULL, a number that is not finite, a level that the model does not know."]
    return "\n".join([*head, *macros]) + "\n"


def _sql_effects(model: Model, predictor: Predictor) -> list[str]:
    name = predictor.name
    if not predictor.levels:
        centre = predictor.centre.value if predictor.centre else 0.0
        slope, number = _number(effects(model, predictor).slope), f"CAST({name} AS DOUBLE)"
        finite = f"CASE WHEN isfinite({number}) THEN {number} END"
        bodies = {"": f"({finite} - {_number(centre)}) * {slope}"}
    else:
        bodies = {
            _effect_name(
                model, predictor, side
            ): f"CASE CAST({name} AS VARCHAR) {_sql_cases(levels)} END"
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
        f"# {_title(model)}",
        "# Vectors of equal length. Returns a data frame, one row per patient.",
        "# Missing: NA, a number that is not finite, a level that the model does not know.",
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
        lines.append(f"  all_points_{side} <- round(({shifted}) * {_number(sums.per_unit)}, 9)")
    of = [f"!is.na(effect_{name})" for name in names]
    lines.append(f"  known <- {' & '.join(of)}")
    useful = _useful(model, _R, str, _r_survival)
    lines.append(f"  useful <- ({' | '.join(of)}) & ({useful})")
    columns = ["points = ifelse(known & useful, all_points_lower, NA)"]
    for side in ("lower", "upper"):
        columns.append(f"points_{side} = ifelse(useful, all_points_{side}, NA)")
    if model.cutoff:
        high, low = _sides(model, _R, str)
        decided = f"ifelse({high}, 'high', ifelse({low}, 'low', 'indeterminate'))"
        columns.append(f"risk = ifelse(useful, {decided}, 'indeterminate')")
    for name, value, low_value, high_value in _predictions(model, _r_survival):
        least, most = low_value(str), high_value(str)
        shown = f"useful & {most} - {least} < {NO_ANSWER}"
        columns.append(f"{name} = ifelse(known & {shown}, {value('lp_lower')}, NA)")
        columns.append(f"{name}_lower = ifelse({shown}, {least}, NA)")
        columns.append(f"{name}_upper = ifelse({shown}, {most}, NA)")
    lines.append("  data.frame(" + ",\n    ".join([*columns, "stringsAsFactors = FALSE"]) + ")")
    return "\n".join([*lines, "}"]) + "\n"


def _r_effects(model: Model, predictor: Predictor) -> list[str]:
    name = predictor.name
    if not predictor.levels:
        centre = predictor.centre.value if predictor.centre else 0.0
        slope = _number(effects(model, predictor).slope)
        finite = f"ifelse(is.finite(as.numeric({name})), as.numeric({name}), NA)"
        return [f"  effect_{name} <- ({finite} - {_number(centre)}) * {slope}"]
    lines = {}
    for side, levels in _ends(model, predictor).items():
        table = ", ".join(
            f"{json.dumps(value)} = {_number(effect)}" for value, effect in levels.items()
        )
        variable = f"effect{_effect_name(model, predictor, side)}_{name}"
        lines[variable] = f"  {variable} <- unname(c({table})[as.character({name})])"
    return list(lines.values())


def _r_survival(baseline: float, linear_predictor: str) -> str:
    return f"{_number(baseline)}^exp({linear_predictor})"
