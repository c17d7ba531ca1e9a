"""What tonight's rows come to: variables, scores, flags, worklist, measures."""

from collections.abc import Callable, Iterator
from typing import Any

import polars as pl

from flows.history import reviews_of
from flows.job import Tonight
from flows.mapped.told import ledger_of
from flows.outputs import Outputs
from flows.pseudonyms import pseudonymised
from flows.read import Read
from flows.reviews.told import reviews_told
from models.engine import score
from models.spec import library
from schemas.published import Quarantine, columns_of
from transforms.acceptance.profile import profile
from transforms.measures.after_rrdtc import with_what_came_after
from transforms.measures.courses import courses_of
from transforms.measures.definitions import PATHWAY, REVIEWING, completeness
from transforms.measures.measures import measure
from transforms.measures.reviewing import decisions, waits_of
from transforms.review.flags import patient_risk
from transforms.review.needs import needs
from transforms.review.registry_list import registry_list
from transforms.review.review import Review, review
from transforms.review.timeline import numbered, story
from transforms.review.worklist import worklist
from transforms.variables.as_of import known_as_of
from transforms.variables.courses import courses as known_courses
from transforms.variables.courses import disagreeing, entered_twice, possible_courses
from transforms.variables.evidence import Record
from transforms.variables.features import features


def results_of(tonight: Tonight, read: Read, stage: Callable[..., Any]) -> Outputs:
    """Return what tonight's rows come to. `stage` runs a named step."""
    quarantine = stage("quarantine", _quarantine, tonight, read)
    known = known_as_of(
        read.rows,
        read.set_aside.lazy(),
        tonight.as_of,
        tonight.mapping.coverage.with_found(read.empty),
        tonight.extracted_on,
    )
    names = pseudonymised(read.names, tonight.keys)
    given = known.tables["reviews"].collect()
    reviews = stage("look up reviews", reviews_of, tonight, given, read.names)
    derived = stage("derive variables", _features, tonight, known, read.set_aside, names)
    scores = stage("score", _scores, derived, tonight.settings.windows.model_dump())
    risk = stage("flag", patient_risk, derived, scores, tonight.last, reviews)
    windows = tonight.settings.windows
    settled_by = needs(derived, scores, windows)
    seen = stage(
        "review", review, known, derived, risk, settled_by, windows, tonight.settings.listing
    )
    risk = seen.risk
    waiting = worklist(risk, derived, tonight.settings.worklist_cap)
    timeline = stage("tell the stories", _stories, tonight, known, names, waiting, seen.on_file)
    counts, remarks = read.counts(tonight.mapping.coverage), tuple(_remarks(known))
    corrections = stage("list corrections", _corrections, tonight, known, names, quarantine, seen)
    figures = profile({name: table.rows for name, table in read.tables.items()}, read.rejected)
    nobody = pseudonymised(read.left_out, tonight.keys)
    accounted = ledger_of(tonight, read, counts.files)
    patients = with_what_came_after(_with_reviews(derived, risk), known)
    courses = courses_of(known, patients, windows)
    told = reviews_told(tonight, given, read.names)
    del read, known  # the measures need memory, and no table
    waits = waits_of(told, risk, tonight.as_of)
    measured = stage("measure", _measures, tonight, courses, patients, told, waits)
    return Outputs(
        counts=counts,
        derived=derived,
        scores=scores,
        risk=risk,
        review=waiting,
        quarantine=quarantine,
        corrections=corrections,
        measures=measured,
        timeline=timeline,
        criteria=_published(tonight, seen.criteria),
        needs=settled_by,
        on_file=_published(tonight, seen.on_file),
        reviews=told,
        profile=figures,
        left_out=nobody,
        ledger=accounted,
        remarks=remarks,
    )


def _remarks(known: Record) -> Iterator[str]:
    twice, in_doubt = entered_twice(known_courses(known)).collect().row(0)
    if twice:
        yield (
            f"{twice} courses of 131I therapy were entered more than once on their day and count "
            f"once; of {in_doubt} the activity is in doubt"
        )


def _published(tonight: Tonight, table: pl.DataFrame) -> pl.DataFrame:
    """Return a table of patients by their published names, without the registry's row names."""
    return pseudonymised(table, tonight.keys, but=("patient_id",))


def _quarantine(tonight: Tonight, read: Read) -> pl.DataFrame:
    """Return the rejected rows with their original text: one row per rejected row."""
    kept = tonight.kept_quarantine
    if kept is None:
        kept = read.quarantine
    kept = kept.sort("table", "file", "line")
    if tonight.keys.pseudonym is not None:
        kept = kept.with_columns(pl.col("file").replace(tonight.labels))
    return pseudonymised(kept, tonight.keys).select(
        pl.col(name).cast(dtype) for name, dtype in columns_of(Quarantine).items()
    )


def _features(
    tonight: Tonight,
    known: Record,
    set_aside: pl.DataFrame,
    names: pl.DataFrame,
) -> pl.DataFrame:
    """Return the variables: one row per patient, in the order in which they are published."""
    derived = features(known, set_aside.lazy(), tonight.settings.windows)
    named = names.join(derived, on="patient_no", maintain_order="left")
    return pseudonymised(named, tonight.keys, but=("patient_id",))


def _scores(derived: pl.DataFrame, windows: dict[str, Any]) -> dict[str, pl.DataFrame]:
    return {name: score(derived, model, windows) for name, model in library().items()}


def _stories(
    tonight: Tonight,
    known: Record,
    names: pl.DataFrame,
    waiting: pl.DataFrame,
    unused: pl.DataFrame,
) -> pl.DataFrame:
    shown = waiting.head(tonight.settings.report_patients).select("patient_id")
    who = names.join(shown, on="patient_id")
    theirs = pl.col("patient_no").is_in(who["patient_no"].implode())
    rows = pl.collect_all([table.filter(theirs) for table in known.tables.values()])
    numbers = numbered(possible_courses(known, known_courses(known)).filter(theirs))
    unused = unused.filter(pl.col("patient_id").is_in(who["patient_id"].implode()))
    tables = dict(zip(known.tables, rows, strict=True))
    told = story(tables, who, numbers, unused, tonight.settings.windows)
    return pseudonymised(told, tonight.keys, but=("patient_id",))


def _corrections(
    tonight: Tonight, known: Record, names: pl.DataFrame, quarantine: pl.DataFrame, seen: Review
) -> pl.DataFrame:
    """Return what the registry is to correct: one row per correction."""
    twice = disagreeing(known_courses(known)).collect().join(names, on="patient_no")
    twice = twice.select("patient_id", "entries", row_key="treatment_id", date="earliest")
    return registry_list(quarantine, _published(tonight, twice), seen.live, seen.risk)


def _with_reviews(derived: pl.DataFrame, risk: pl.DataFrame) -> pl.DataFrame:
    """Add to the variables what the measures ask of scores and reviews: one row per patient."""
    more = risk.select("patient_no", "rrdtc_status", "os_status", "pfs_status")
    return derived.join(more, on="patient_no")


def _measures(
    tonight: Tonight,
    courses: pl.DataFrame,
    patients: pl.DataFrame,
    told: pl.DataFrame,
    waits: pl.DataFrame,
) -> pl.DataFrame:
    measures = [*PATHWAY, *REVIEWING, *completeness(library().values())]
    settings = tonight.settings
    centres = patients.select("patient_no", "centre")
    return measure(
        measures,
        {
            "patients": patients,
            "courses": courses,
            "reviews": decisions(told).join(centres, on="patient_no"),
            "waits": waits.join(centres, on="patient_no"),
        },
        tonight.as_of,
        settings.smallest_cell,
        settings.round_counts,
        settings.targets,
    )
