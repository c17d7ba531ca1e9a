"""What a night puts out: its tables as parquet, its summary, and run.json."""

import hmac
import json
import platform
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, date, datetime
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import polars as pl
import polars.selectors as cs

from flows.acceptance import Verdict
from flows.counts import Counts, FileCount
from flows.disk import sha256
from flows.errors import NightError
from flows.history import IMPORTS
from flows.job import Tonight
from flows.published.nights import RUN
from flows.published.seal import SIGNATURE, sha256_of_run, signature
from flows.published.write import json_ready, write_csv, write_parquet
from models.parts import FLAGS
from models.predictors import predictor_columns, predictors
from models.spec import digests, library
from schemas.published import (
    PUBLISHED,
    GivenReviews,
    PatientRisk,
    columns_of,
    descriptions_of,
)
from transforms.reading.mapping import Mapping

VERSION = version("thyrisk")
_LIBRARIES = ("thyrisk", "polars", "duckdb", "pandera", "prefect")
MAPPING_DIGEST = "hmac"
MART = (
    "patient_id",
    "as_of",
    "index_date",
    "rrdtc_status",
    "rrdtc_flag",
    "rrdtc_points_lower",
    "rrdtc_points_upper",
    "rrdtc_met",
    "os_status",
    "os_risk_group",
    "pfs_status",
    "pfs_risk_group",
    "review_priority",
)
"""The columns of patient_risk that the warehouse keeps for SQL; the parquet has all."""


@dataclass(frozen=True)
class Outputs:
    """The tables of a night. `scores` has one table per model.

    Patients have their number (patient_no) in `derived`, `scores` and `risk`: what is joined is
    joined by it, and it is not published.
    """

    counts: Counts
    derived: pl.DataFrame
    scores: dict[str, pl.DataFrame]
    risk: pl.DataFrame
    review: pl.DataFrame
    quarantine: pl.DataFrame
    corrections: pl.DataFrame
    measures: pl.DataFrame
    timeline: pl.DataFrame
    criteria: pl.DataFrame
    needs: pl.DataFrame
    on_file: pl.DataFrame
    reviews: pl.DataFrame
    profile: pl.DataFrame
    left_out: pl.DataFrame
    remarks: tuple[str, ...] = ()
    """What of tonight's data a person should know, in words."""

    @property
    def tables(self) -> dict[str, pl.DataFrame]:
        """Every published table by name, without what only the night needs."""
        found = {
            "patient_risk": self.risk,
            "features": self.derived,
            "model_scores": pl.concat(self.scores.values(), how="diagonal_relaxed"),
            "predictors": predictors(self.scores, library()),
            "worklist": self.review,
            "registry_list": self.corrections,
            "criteria": self.criteria,
            "needs": self.needs,
            "on_file": self.on_file,
            "reviews": self.reviews.select(columns_of(GivenReviews).keys()),
            "timeline": self.timeline,
            "qi_measures": self.measures,
            "quarantine": self.quarantine,
            "profile": self.profile,
            "patients_left_out": self.left_out,
        }
        inside = cs.matches("^(patient_no|criterion_.*|ruled_out)$")
        published = {name: frame.drop(inside) for name, frame in found.items()}
        return published | {"patient_risk": self.risk.select(*columns_of(PatientRisk))}

    @property
    def mart(self) -> pl.DataFrame:
        """What the warehouse keeps of patient_risk."""
        return self.risk.select(MART)


@dataclass
class Result:
    """What a night did: counts and places, no patient."""

    run_id: str
    as_of: date
    folder: Path
    files: list[FileCount]
    patients: int
    by_model: dict[str, dict[str, int]]
    flags: dict[str, dict[str, int]]
    newly_flagged: int
    to_review: int
    cut_from_worklist: int
    """Patients who wait for a review but did not get on the list, for its cap."""
    review_status: dict[str, int]
    rows: dict[str, int] = field(default_factory=dict)
    """Rows of each published table."""
    new_versions: dict[str, int] = field(default_factory=dict)
    previous: str | None = None
    replayed: bool = False
    comparisons: list[dict[str, Any]] = field(default_factory=list)
    """With the nights before: what, where, tonight, before, change, verdict."""
    compared_with: list[str] = field(default_factory=list)
    accepted: dict[str, str] | None = None
    """When and why the night was let through, where it had been refused."""
    warnings: list[str] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)


def write_outputs(outputs: Outputs, staged: Path, tonight: Tonight) -> dict[str, int]:
    """Write the tables of a night, each column described, each file with the night's identity.

    Return the rows of each. Under an encryption key nothing that names a patient is written in
    the clear: no CSV.
    """
    identity = {
        "thyrisk_run_id": tonight.run_id,
        "thyrisk_as_of": str(tonight.as_of),
        "thyrisk_version": VERSION,
    }
    tables = outputs.tables
    for name, frame in tables.items():
        described = descriptions_of(PUBLISHED[name], tonight.settings.windows.model_dump())
        if name == "model_scores":
            described |= predictor_columns(library())
        write_parquet(frame, staged / f"{name}.parquet", described, identity, tonight.keys)
    if tonight.keys.encryption is None:
        write_csv(outputs.review, staged / "worklist.csv")
        write_csv(outputs.corrections, staged / "registry_list.csv")
    return {name: frame.height for name, frame in tables.items()}


def summarise(
    outputs: Outputs,
    verdict: Verdict,
    tonight: Tonight,
    folder: Path,
    seconds: dict[str, float],
) -> Result:
    """Return what a night did. Raises NightError when a patient was lost or made up."""
    risk = outputs.risk
    if risk.height != outputs.counts.patients:
        raise NightError(f"{outputs.counts.patients} patients in, {risk.height} out")
    waiting = risk.filter(pl.col("review_status") == "waiting").height
    return Result(
        run_id=tonight.run_id,
        as_of=tonight.as_of,
        folder=folder,
        files=[_shown(file, tonight) for file in outputs.counts.files],
        patients=risk.height,
        by_model={name: _counts(frame["status"]) for name, frame in outputs.scores.items()},
        flags={name: _counts(risk[name]) for name in FLAGS.values()},
        newly_flagged=int(risk["newly_flagged"].sum()),
        to_review=outputs.review.height,
        cut_from_worklist=waiting - outputs.review.height,
        review_status=_counts(risk["review_status"]),
        new_versions=outputs.counts.new_versions,
        previous=tonight.previous,
        replayed=tonight.replayed,
        comparisons=verdict.comparisons,
        compared_with=verdict.compared_with,
        accepted=verdict.accepted,
        warnings=[*tonight.warnings, *outputs.counts.warnings, *outputs.remarks, *verdict.warnings],
        seconds=seconds,
    )


def _shown(file: FileCount, tonight: Tonight) -> FileCount:
    """Return a file's counts under a name that may be shown."""
    if tonight.keys.pseudonym is None:
        return file
    return replace(file, file=tonight.labels[file.file])


def _mapping(tonight: Tonight) -> dict[str, Any]:
    """Return the mapping; under pseudonyms its digest: what it translates may be identifiers."""
    if tonight.keys.pseudonym is None:
        return tonight.mapping.model_dump(mode="json")
    return {MAPPING_DIGEST: mapping_digest(tonight.mapping, tonight.keys.pseudonym)}


def mapping_digest(mapping: Mapping, key: bytes) -> str:
    """Return what tells a mapping from another, and does not give it away without the key."""
    text = json.dumps(mapping.model_dump(mode="json"), sort_keys=True)
    return hmac.digest(key, text.encode(), "sha256").hex()


def _counts(values: pl.Series) -> dict[str, int]:
    counted = values.cast(pl.String).fill_null("none").value_counts().sort(values.name)
    return dict(counted.iter_rows())


@cache
def _versions() -> dict[str, str]:
    return {"python": platform.python_version()} | {name: version(name) for name in _LIBRARIES}


def write_run(staged: Path, tonight: Tonight, result: Result) -> None:
    """Write run.json: the only file of a night that knows the clock."""
    report = asdict(result) | {
        "folder": result.folder.name,
        "started_at": tonight.started_at.isoformat(timespec="seconds"),
        "finished_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "extracted_at": tonight.export.extracted_at if tonight.export else None,
        "outputs": {path.name: sha256(path) for path in sorted(staged.iterdir())},
        "settings": tonight.settings.model_dump(mode="json"),
        "mapping": _mapping(tonight),
        IMPORTS: tonight.imports,
        "previous_sha256": sha256_of_run(result.folder.parent, tonight.previous),
        "pseudonyms": tonight.keys.fingerprint,
        "encrypted": tonight.keys.encryption is not None,
        "models": {
            name: {"doi": model.doi, "sha256": digest}
            for (name, model), digest in zip(library().items(), digests(), strict=True)
        },
        "versions": _versions(),
    }
    ready = json_ready(report)
    if (signed := signature(ready, tonight.keys)) is not None:
        ready[SIGNATURE] = signed
    text = json.dumps(ready, indent=2, ensure_ascii=False)
    (staged / RUN).write_text(text + "\n", "utf-8")
