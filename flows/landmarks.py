"""Published models against the registry's own outcomes: what was predicted when, and what came.

- **Landmark** (survival models): the second assessed course of 131I. Nothing later is looked at for
  the prediction, and the clock starts there: who died before it is not asked about. Jin 2025
  takes the uptake of *later* courses and starts the clock at the first: a patient must live to
  be treated again, and that time is called survival under treatment (immortal time). `paper` is
  that way, beside it.
- **At the first 131I** (RR-DTC): as of 7 days after it, which is how long examinations for it
  count. The outcome is RR-DTC met after that day, death before it competing. `paper` is the
  paper's cross-section: predictors and RR-DTC as known tonight, of patients with two courses.
- A prediction is that of the first night published within a month after the landmark
  (`published`), and the clock starts that night; without one it is made anew from what was
  dated up to the landmark (`recomputed`).
- Or on any other day: at the first 131I, or so many years after it.
- Who is left out is counted by the first reason that holds (`Way.flow`).
- Risk within w years after a landmark s years after the first 131I is
  1 - exp(-(H(s+w) - H(s))), H the cumulative hazard by the model's own survival at 3, 5 and 10
  years, straight between them and after; those baselines are inferred, so this tests the
  reconstruction too.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import polars as pl

from flows.errors import UsageError
from flows.participants import flow_of
from flows.prospective import published_then
from flows.secrets import Keys
from models.engine import score
from models.performance.hazard import SURVIVALS, expected, hazards
from models.spec import Cutoff, Model, library
from transforms.surveillance.came import what_came
from transforms.variables.as_of import known_on
from transforms.variables.courses import courses
from transforms.variables.evidence import Record
from transforms.variables.features import features
from transforms.variables.uptake import IS_NONE, IS_UP
from transforms.variables.windows import Windows

GRACE_DAYS = 7
HORIZONS = {"os": (3.0, 5.0), "pfs": (3.0, 5.0), "rrdtc": (1.0, 3.0, 5.0)}
PAPER_HORIZONS = (3.0, 5.0, 10.0)
MOST_YEARS = 10.0
PAPER = "paper"
LANDMARKS = {"second-course": "second course", "first-131i": "first 131I", PAPER: PAPER}
"""The ways by the names that the command takes, and as the figures have them."""
USED = ("scored", "bounded")
RECOMPUTED = "recomputed"
SUBGROUPS = ("centre", "sex", "age", "period")


@dataclass(frozen=True)
class Registry:
    """What the last published night knew."""

    record: Record
    set_aside: pl.LazyFrame
    windows: Windows
    names: pl.DataFrame
    """One row per patient: patient_no, and patient_id as it is published."""
    extracted_on: date | None = None

    def features(self, record: Record) -> pl.DataFrame:
        """Return the variables as of a record: one row per patient of it, named as published."""
        derived = features(record, self.set_aside, self.windows)
        return self.names.join(derived, on="patient_no", maintain_order="left")


@dataclass(frozen=True)
class Way:
    """One way of validating a model: its name, its predictions, and who is not among them."""

    name: str
    frame: pl.DataFrame
    flow: dict[str, int] = field(default_factory=dict)
    """Patients of the registry by what became of them, in order."""


def predictions(
    model: Model, registry: Registry, out: Path, keys: Keys
) -> Iterator[tuple[str, pl.DataFrame]]:
    """Yield each way of validating a model: its name and a frame of predictions for `validate`."""
    for way in ways(model, registry, out, keys):
        yield way.name, way.frame


def ways(
    model: Model, registry: Registry, out: Path, keys: Keys, landmark: str | None = None
) -> Iterator[Way]:
    """Yield the ways of validating a model: the one chosen, else its landmark and the paper's.

    `landmark` is one of LANDMARKS, or years after the first 131I. Raises UsageError.
    """
    default = "first-131i" if model.outcome == "rrdtc" else "second-course"
    chosen = [landmark] if landmark else [default, PAPER]
    years = {name: _years(name) for name in chosen if name not in LANDMARKS}
    tonight = registry.features(registry.record)
    for name in chosen:
        if name == PAPER:
            yield _by_the_paper(model, tonight, registry.windows)
            continue
        if name == "second-course":
            days = _second_assessed(registry)
        else:
            days = _after_index(tonight, years.get(name))
        told = LANDMARKS.get(name) or f"{years[name]:g} years after first 131I"
        yield _at_landmark(told, model, registry, tonight, days, out, keys)


def _years(landmark: str) -> float:
    try:
        years = float(landmark)
    except ValueError:
        years = -1.0
    if not 0 < years <= MOST_YEARS:
        known = ", ".join(LANDMARKS)
        raise UsageError(
            f"--landmark {landmark}: want {known}, or years after the first 131I up to "
            f"{MOST_YEARS:g}"
        )
    return years


def _second_assessed(registry: Registry) -> pl.DataFrame:
    """Return one row per patient with two assessed courses: by which day there were."""
    return (
        courses(registry.record)
        .filter(IS_UP | IS_NONE)
        .sort("patient_no", "latest")
        .group_by("patient_no", maintain_order=True)
        .agg(day=pl.col("latest").get(1, null_on_oob=True))
        .drop_nulls("day")
        .collect()
    )


def _after_index(tonight: pl.DataFrame, years: float | None = None) -> pl.DataFrame:
    """Return one row per patient with an index date: some days, or so many years, after it."""
    after = timedelta(days=GRACE_DAYS if years is None else round(years * 365.25))
    day = pl.col("index_date") + after
    return tonight.select("patient_no", day=day).drop_nulls("day")


def _at_landmark(
    name: str,
    model: Model,
    registry: Registry,
    tonight: pl.DataFrame,
    landmarks: pl.DataFrame,
    out: Path,
    keys: Keys,
) -> Way:
    past = landmarks.filter(pl.col("day") <= registry.record.as_of)
    then = registry.features(known_on(registry.record, past.lazy()))
    named = registry.names.join(past, on="patient_no").select("patient_id", landmark="day")
    recomputed = (
        _scores(model, then, registry.windows)
        .join(named, on="patient_id")
        .rename({"landmark": "start"})
        .with_columns(source=pl.lit(RECOMPUTED))
    )
    published = published_then(model, named, out, keys)
    made = pl.concat([published, recomputed], how="diagonal_relaxed")
    made = made.unique("patient_id", keep="first", maintain_order=True)
    joined = made.join(_outcomes(model, tonight), on="patient_id").with_columns(
        years_before=(pl.col("start") - pl.col("index_date")).dt.total_days() / 365.25
    )
    watched = joined.with_columns(time=pl.col("years") - pl.col("years_before"))
    at_risk = watched.filter(pl.col("time") > 0, pl.col("status").is_in(USED))
    flow = flow_of(tonight, made, watched, prediction_of(model))
    if model.outcome == "rrdtc":
        return Way(name, _long_plain_risk(at_risk), flow)
    return Way(name, _long_survival(at_risk, HORIZONS[model.outcome]), flow)


def _scores(model: Model, of: pl.DataFrame, windows: Windows) -> pl.DataFrame:
    """Return the scores of a model; for RR-DTC probability and points, of its two models."""
    used = windows.model_dump()
    if model.outcome != "rrdtc":
        return score(of, model, used)
    points = score(of, library()["liu2022_score"], used).select("patient_id", "points", "risk")
    return (
        score(of, library()["liu2022_nomogram"], used)
        .drop("points", "risk")
        .join(points, on="patient_id")
    )


def _outcomes(model: Model, tonight: pl.DataFrame) -> pl.DataFrame:
    """Return what came: index_date, years from it, event (2: died before RR-DTC), subgroups."""
    period = (pl.col("index_date").dt.year() // 5 * 5).cast(pl.String)
    groups = tonight.select(
        "patient_id", "centre", pl.col("sex").cast(pl.String),
        age=pl.when(pl.col("age_at_index") >= 55).then(pl.lit("55 or older"))
        .when(pl.col("age_at_index").is_not_null()).then(pl.lit("under 55")),
        period=pl.when(pl.col("index_date").is_not_null()).then(pl.lit("from ") + period),
    )  # fmt: skip
    return what_came(model.outcome, tonight).join(groups, on="patient_id")


def _by_the_paper(model: Model, tonight: pl.DataFrame, windows: Windows) -> Way:
    if model.outcome == "rrdtc":
        return _cross_section(tonight, windows)
    return _from_index(model, tonight, windows)


def _from_index(model: Model, tonight: pl.DataFrame, windows: Windows) -> Way:
    """Return the paper's way: tonight's predictors, the clock from the first 131I."""
    scored = _scores(model, tonight.drop_nulls("index_date"), windows)
    watched = scored.join(_outcomes(model, tonight), on="patient_id")
    watched = watched.with_columns(
        years_before=pl.lit(0.0), time="years", source=pl.lit(RECOMPUTED)
    )
    made = watched.filter(pl.col("time") > 0, pl.col("status").is_in(USED))
    flow = flow_of(tonight, scored, watched, prediction_of(model))
    return Way(PAPER, _long_survival(made, PAPER_HORIZONS), flow)


def _cross_section(tonight: pl.DataFrame, windows: Windows) -> Way:
    """Return the paper's way for RR-DTC: as known tonight, of patients with two courses."""
    asked = tonight.filter(pl.col("courses") >= 2)
    model = library()["liu2022_nomogram"]
    scored = _scores(model, asked, windows)
    watched = scored.join(_outcomes(model, tonight), on="patient_id")
    flow = flow_of(tonight, scored, watched.with_columns(time=pl.lit(1.0)), "probability")
    made = watched.filter(pl.col("status").is_in(USED)).select(
        *SUBGROUPS, source=pl.lit(RECOMPUTED), y=(pl.col("event") == 1).cast(pl.Int8),
        p="probability", p_lower="probability_lower", p_upper="probability_upper",
        score="points",
    )  # fmt: skip
    return Way(PAPER, made, flow)


def prediction_of(model: Model) -> str:
    """Return the column of the scores that is validated."""
    return "probability" if model.outcome == "rrdtc" else "survival_5y"


def _long_plain_risk(at_risk: pl.DataFrame) -> pl.DataFrame:
    """Return one row per patient and horizon, the probability standing for the risk by each."""
    told = at_risk.select(
        *SUBGROUPS, "index_date", "source", "time", "event", risk="probability",
        risk_lower="probability_lower", risk_upper="probability_upper", score="points",
    )  # fmt: skip
    parts = [told.with_columns(horizon=pl.lit(h)) for h in HORIZONS["rrdtc"]]
    return pl.concat(parts)


def _long_survival(at_risk: pl.DataFrame, horizons: tuple[float, ...]) -> pl.DataFrame:
    """Return one row per patient and horizon: the risk within so many years of the landmark."""
    before = at_risk["years_before"].to_numpy()
    parts = []
    for horizon in horizons:
        risks = {
            name: _risk(at_risk, suffix, before, horizon)
            for name, suffix in (("risk", ""), ("risk_lower", "_upper"), ("risk_upper", "_lower"))
        }
        parts.append(
            at_risk.select(*SUBGROUPS, "index_date", "source", "time", "event", score="points")
            .with_columns(pl.Series(name, risk) for name, risk in risks.items())
            .with_columns(pl.col("^risk.*$").fill_nan(None), horizon=pl.lit(horizon))
        )
    return pl.concat(parts)


def _risk(at_risk: pl.DataFrame, suffix: str, before: np.ndarray, horizon: float) -> np.ndarray:
    columns = [f"{name}{suffix}" for name in SURVIVALS]
    hazard = hazards(at_risk.select(pl.col(columns).cast(pl.Float64)).to_numpy())
    return np.asarray(1 - np.exp(-expected(hazard, before, before + horizon)))


def cutoff_of(model: Model) -> Cutoff | None:
    """Return the published cut-off on points; RR-DTC's is that of its score."""
    return library()["liu2022_score"].cutoff if model.outcome == "rrdtc" else model.cutoff


def model_of(name: str) -> Model:
    """Return a model of the library. Raises UsageError."""
    models = library()
    if name not in models:
        raise UsageError(f"no model {name}; known: {', '.join(models)}")
    return models[name]
