"""What a night's tables say, computed anew: counts, dates, flags against scores."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import polars as pl
from polars.exceptions import PanicException, PolarsError

from flows.errors import NightRefused
from flows.local.files import PREFIX, of_night
from flows.published.nights import is_encrypted, read_table, rows_of
from flows.published.run_report import RunReport
from flows.secrets import Keys
from models.bounds import is_high
from models.parts import FLAGS
from models.spec import Model, deciding, digests, library
from schemas.registry import TABLES

_NEEDED = {
    "patient_risk": ("patient_id", "as_of", "newly_flagged"),
    "features": ("patient_id",),
    "model_scores": ("patient_id", "model", "status", "risk", "points_lower", "points_upper"),
    "worklist": ("patient_id",),
    "quarantine": ("table", "file", "cell", "patient_id"),
    "profile": ("what", "where", "figure"),
    "patients_left_out": ("patient_id", "is_left_out"),
}
_IDENTITY = ("run_id", "as_of")


def recomputed(folder: Path, report: RunReport, keys: Keys) -> Iterator[str]:
    """Yield what the tables of a night say otherwise than its report, or than each other."""
    tables: dict[str, pl.DataFrame] = {}
    for path in sorted(folder.glob("*.parquet")):
        if is_encrypted(path) and keys.encryption is None:
            yield f"{path.name}: encrypted; set THYRISK_ENCRYPTION_KEY_FILE to count its rows"
            continue
        yield from _identity(path, report)
        yield from _rows(path, report, keys)
        if path.stem in _NEEDED:
            try:
                tables[path.stem] = _read(path, keys)
            except NightRefused:
                yield f"{path.name}: cannot be read"
    try:
        local = of_night(folder)
    except NightRefused as error:
        yield str(error)
        local = {}
    said = {name: model.sha256 for name, model in report.models.items() if model.local}
    if said != {name: one.sha256 for name, one in local.items()}:
        yield f"{PREFIX}*.toml: not the local models that run.json names"
    used = [*_as_then(report), *(one.model for one in local.values())]
    try:
        yield from _compared(tables, report, used)
    except PolarsError as error:
        yield f"the tables are not those of a night ({type(error).__name__})"


def _rows(path: Path, report: RunReport, keys: Keys) -> Iterator[str]:
    """Count the rows of a table; run.json of an earlier version does not say how many."""
    said = (report.rows or {}).get(path.stem)
    if report.rows is None or path.name not in report.outputs:
        return
    try:
        found = rows_of(path, keys)
    except NightRefused:
        return  # said where it is read
    if found != said:
        yield f"{path.name}: {found} rows, run.json counted {said}"


def _read(path: Path, keys: Keys) -> pl.DataFrame:
    columns = [*_NEEDED[path.stem]]
    if path.stem == "patient_risk":
        columns += [name for model in _deciding() for name in (model.flag, model.status)]
    return read_table(path, keys, columns=columns)


def _identity(path: Path, report: RunReport) -> Iterator[str]:
    """Compare the identity that a file carries; that of an encrypted one is sealed with it."""
    if is_encrypted(path):
        return
    try:
        written = pl.read_parquet_metadata(path)
    except (PolarsError, PanicException, OSError):
        yield f"{path.name}: cannot be read"
        return
    for name in _IDENTITY:
        if written.get(f"thyrisk_{name}") != str(getattr(report, name)):
            yield f"{path.name}: its {name} is not that of run.json"


def _compared(
    tables: Mapping[str, pl.DataFrame], report: RunReport, used: Sequence[Model]
) -> Iterator[str]:
    yield from _heights(tables, report)
    if "patient_risk" in tables:
        yield from _risk(tables["patient_risk"], report)
    if "quarantine" in tables and not report.replayed:
        yield from _quarantine(tables["quarantine"], report)
    if "profile" in tables and report.files:
        yield from _profile(tables["profile"], report)
    if tables.keys() >= {"patient_risk", "quarantine", "patients_left_out"}:
        yield from _left_out(tables, report)
    if "model_scores" in tables:
        scores = tables["model_scores"]
        for name, counts in report.by_model.items():
            if _counts(scores.filter(pl.col("model") == name)["status"]) != counts:
                yield f"model_scores.parquet: {name}: other counts by status than run.json"
        yield from _points(scores, used)
        if "patient_risk" in tables:
            yield from _flags(tables["patient_risk"], scores)


def _heights(tables: Mapping[str, pl.DataFrame], report: RunReport) -> Iterator[str]:
    patients = report.patients
    wanted = {
        "patient_risk": patients,
        "features": patients,
        "model_scores": patients * len(report.models),
        "worklist": report.to_review,
    }
    for name in wanted.keys() & tables.keys():
        if tables[name].height != wanted[name]:
            yield f"{name}.parquet: {tables[name].height} rows, not {wanted[name]}"
    if "patient_risk" in tables:
        known = tables["patient_risk"]["patient_id"].unique().sort()
        for name in ("features", "model_scores"):
            if name in tables and not tables[name]["patient_id"].unique().sort().equals(known):
                yield f"{name}.parquet: other patients than patient_risk.parquet"
        if (
            "worklist" in tables
            and not tables["worklist"]["patient_id"].is_in(known.implode()).all()
        ):
            yield "worklist.parquet: patients who are not in patient_risk.parquet"


def _risk(risk: pl.DataFrame, report: RunReport) -> Iterator[str]:
    if not (risk["as_of"] == report.as_of).all():
        yield "patient_risk.parquet: as_of is not that of run.json"
    if risk["newly_flagged"].sum() != report.newly_flagged:
        yield "patient_risk.parquet: other newly flagged patients than run.json counts"
    for flag, counts in report.flags.items():
        if flag in risk.columns and _counts(risk[flag]) != counts:
            yield f"patient_risk.parquet: {flag}: other counts than run.json"


def _quarantine(rows: pl.DataFrame, report: RunReport) -> Iterator[str]:
    is_cell = pl.col("cell").is_not_null()
    for what, found, wanted in (
        ("rows", rows.filter(~is_cell), [f.rows_quarantined for f in report.files]),
        ("cells", rows.filter(is_cell), [f.cells_set_aside for f in report.files]),
    ):
        if None in wanted:
            continue
        counted = {(t, f): n for t, f, n in found.group_by("table", "file").len().iter_rows()}
        of_files = zip(report.files, wanted, strict=True)
        said = {(file.table, file.file): n for file, n in of_files if n}
        if counted != said:
            total = sum(n or 0 for n in wanted)
            yield f"quarantine.parquet: {found.height} {what}, not the {total} of each file"


def _profile(figures: pl.DataFrame, report: RunReport) -> Iterator[str]:
    """Compare the rows of each table with those of its files; patients, with all patients."""
    wanted: dict[str, float] = {}
    for file in report.files:
        if TABLES[file.table].key is not None:
            there = file.rows_loaded + file.rows_quarantined
            wanted[file.table] = wanted.get(file.table, 0) + there
    wanted["patients"] = report.patients
    rows = figures.filter(pl.col("what") == "rows").select("where", "figure")
    said = {where: figure for where, figure in rows.iter_rows() if where in wanted}
    for table in wanted:
        if said.get(table) != wanted[table]:
            yield (
                f"profile.parquet: {said.get(table, 0):g} rows of {table}, its files have "
                f"{wanted[table]:g}"
            )


def _left_out(tables: Mapping[str, pl.DataFrame], report: RunReport) -> Iterator[str]:
    """Compare who is left out with who is in quarantine and in no other table."""
    listed, known = tables["patients_left_out"], tables["patient_risk"]["patient_id"]
    out = listed.filter("is_left_out")["patient_id"]
    if known.is_in(out.implode()).any():
        yield "patients_left_out.parquet: patients who are in patient_risk.parquet"
    if report.replayed:
        return
    aside = tables["quarantine"]["patient_id"].drop_nulls().unique()
    strangers = aside.filter(~aside.is_in(known.implode())).sort()
    if not out.sort().equals(strangers):
        yield (
            f"patients_left_out.parquet: {out.len()} left out, quarantine.parquet names "
            f"{strangers.len()} who are in no other table"
        )


def _counts(values: pl.Series) -> dict[str, int]:
    counted = values.cast(pl.String).fill_null("none").value_counts()
    return dict(counted.iter_rows())


def _as_then(report: RunReport) -> Iterator[Model]:
    """Yield the published models whose file is still that of the night."""
    for (name, model), digest in zip(library().items(), digests(), strict=True):
        used = report.models.get(name)
        if used is not None and used.sha256 == digest:
            yield model


def _points(scores: pl.DataFrame, used: Sequence[Model]) -> Iterator[str]:
    """Decide every risk group anew from the points and the cut-off."""
    for model in used:
        if model.cutoff is None:
            continue
        name = model.name
        rows = scores.filter(pl.col("model") == name)
        wrong = rows.filter(_decided(model).ne_missing(pl.col("risk").cast(pl.String)))
        if wrong.height:
            yield f"model_scores.parquet: {name}: {wrong.height} risk groups are not their points'"


def _decided(model: Model) -> pl.Expr:
    return (
        pl.when(pl.col("status") == "ineligible")
        .then(pl.lit("not_applicable"))
        .when(pl.col("status") == "insufficient")
        .then(pl.lit("indeterminate"))
        .when(is_high(model, pl.col("points_lower")))
        .then(pl.lit("high"))
        .when(~is_high(model, pl.col("points_upper")))
        .then(pl.lit("low"))
        .otherwise(pl.lit("indeterminate"))
    )


def _deciding() -> list[Model]:
    """Return the models that decide a published flag."""
    return [deciding(outcome) for outcome in FLAGS]


def _flags(risk: pl.DataFrame, scores: pl.DataFrame) -> Iterator[str]:
    """Compare each flag, and its status, with the score that it comes from."""
    for model in _deciding():
        flag, name, status = model.flag, model.name, model.status
        decided = scores.filter(pl.col("model") == name).select(
            "patient_id", decided=pl.col("risk").cast(pl.String), how=pl.col("status")
        )
        both = risk.join(decided, on="patient_id", how="left")
        wrong = both.filter(
            pl.col(flag).cast(pl.String).ne_missing(pl.col("decided"))
            | pl.col(status).cast(pl.String).ne_missing(pl.col("how").cast(pl.String))
        )
        if wrong.height:
            yield f"patient_risk.parquet: {flag}: {wrong.height} are not as {name} scored them"
