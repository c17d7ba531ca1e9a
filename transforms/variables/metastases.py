"""Metastasis sites: how many (Liu 2022) and how far beyond the lung (Jin 2025).

For Liu, the distinct sites known by the index date with 7 days' grace: single or multi (two or
more), and the paper's eleven groups (Fig. 2; null for a combination that it does not list).

For Jin, lung metastasis found no later than 6 months after the index date: `lung`, or
`lung_and_other` when another organ was found by then too (lymph nodes are not an organ here).
lung_timing says in_time, late or none.

`unspecified`, and M1 of a diagnosis where no metastasis has a row, make a patient metastatic at no
known site. A quarantined finding, or an M category that nobody recorded, makes "none"
unknown; a finding that may be of another site makes "single" and "lung" unknown.
`sites_at_least` are those that certainly are there.
Source: Liu 2022, Table 1 and Fig. 2; Jin 2025, Methods, "Patients".
"""

import polars as pl

from schemas.codes import EXTENT, LIU_SITE_GROUP, LUNG_TIMING, SITE, SITE_COUNT
from transforms.variables.evidence import (
    NO_ROWS,
    Record,
    asked,
    first_if_certain,
    maybe_by,
    surely_by,
    yes_no,
)
from transforms.variables.windows import Windows

TABLE = "metastases"
_KNOWN = tuple(site for site in SITE if site != "unspecified")
_ORGANS = tuple(site for site in _KNOWN if site not in ("lymph_node", "lung"))
_LUNG = ("lung", "unspecified")
BIT = {site: 1 << position for position, site in enumerate(_KNOWN)} | {"unspecified": 0}
_ALL_SITES = range(1, 1 << len(_KNOWN))
_GROUP_SITES = (
    ("lymph_node",),
    ("lung",),
    ("bone",),
    ("larynx_trachea",),
    ("liver",),
    ("lymph_node", "lung"),
    ("lymph_node", "larynx_trachea"),
    ("lymph_node", "pleura"),
    ("lymph_node", "bone"),
    ("lung", "bone"),
)
_NAMES = {mask: ", ".join(s for s in _KNOWN if mask & BIT[s]) for mask in _ALL_SITES}
_GROUPS = {mask: LIU_SITE_GROUP[-1] for mask in _ALL_SITES if mask.bit_count() >= 3} | {
    sum(BIT[site] for site in sites): group
    for sites, group in zip(_GROUP_SITES, LIU_SITE_GROUP, strict=False)
}


def findings(record: Record) -> pl.LazyFrame:
    """Return one row per finding of a metastasis, or what may be one.

    patient_no, metastasis_id, site, earliest, latest, surely (found, and not only perhaps).
    """
    found = pl.col("found")
    return (
        record.tables[TABLE]
        .filter(found.is_null() | found)
        .with_columns(surely=found.fill_null(False), site=pl.col("site").cast(pl.String))
        .select("patient_no", "metastasis_id", "site", "earliest", "latest", "surely")
    )


def m_categories(record: Record) -> pl.LazyFrame:
    """Return M1, or an M that nobody recorded: one row per such diagnosis.

    patient_no, earliest, latest, surely. A metastasis that was found later takes nothing from it.
    """
    category = pl.col("m").str.to_uppercase().str.extract(r"^[CPYRA ]*M?\s*([01X])", 1)
    return (
        record.tables["diagnoses"]
        .with_columns(category=category)
        .filter((pl.col("category") != "0").fill_null(True))
        .select(
            "patient_no",
            "earliest",
            "latest",
            surely=(pl.col("category") == "1").fill_null(False),
        )
    )


def metastases(record: Record, index: pl.LazyFrame, windows: Windows) -> pl.LazyFrame:
    """Return one row per patient with a first 131I therapy, or who may have had one.

    site_count (single, multi), sites_known (number), sites (names), sites_at_least,
    liu_site_group, metastatic (by the index date), metastasis_date and metastasis_row (the first
    finding); extent, lung_timing, lung_date and lung_row (the first finding in the lung).
    """
    found = findings(record)
    by_index, by_extent = f"{windows.metastasis_grace_days}d", f"{windows.lung_months}mo"
    patients = index.select("patient_no", "index_earliest", "index_latest")
    liu = _by(record, found, patients, by_index, "liu")
    jin = _by(record, found, patients, by_extent, "jin", organs_only=True)
    first = first_if_certain(
        record, TABLE, found, "earliest", "metastasis_id", certain="surely", of_all=True
    )
    return (
        liu.join(jin, on="patient_no", how="left")
        .join(_metastatic(record, found, patients, by_index), on="patient_no", how="left")
        .join(_lung(record, found, patients, by_extent), on="patient_no", how="left")
        .join(
            first.select("patient_no", metastasis_date="earliest", metastasis_row="metastasis_id"),
            on="patient_no",
            how="left",
        )
        .select(
            "patient_no",
            "metastatic",
            "metastasis_date",
            "metastasis_row",
            *_liu_variables(),
            "lung_timing",
            "lung_date",
            "lung_row",
            extent=_extent(),
        )
    )


def sites_today(record: Record) -> pl.LazyFrame:
    """Return the sites found as of today: one row per patient, sites_today_at_least."""
    bit = pl.col("site").replace_strict(BIT, return_dtype=pl.Int32)
    masks = findings(record).filter("surely").group_by("patient_no").agg(mask=bit.bitwise_or())
    return masks.select("patient_no", sites_today_at_least=_named("mask"))


def _by(
    record: Record,
    found: pl.LazyFrame,
    patients: pl.LazyFrame,
    grace: str,
    name: str,
    *,
    organs_only: bool = False,
) -> pl.LazyFrame:
    """Return the sites by a day after the index date: one row per patient.

    <name>_mask: those certainly found by then, as bits. <name>_more: whether another may be.
    """
    first_limit = pl.col("index_earliest").dt.offset_by(grace)
    last_limit = pl.col("index_latest").dt.offset_by(grace)
    bit = pl.col("site").replace_strict(BIT, return_dtype=pl.Int32)
    sites = _ORGANS if organs_only else _KNOWN
    near = found.join(patients, on="patient_no", how="inner").filter(
        maybe_by(last_limit).fill_null(True)
    )
    near = near.with_columns(surely=pl.col("surely") & surely_by(first_limit).fill_null(False))
    sure = (
        near.group_by("patient_no")
        .agg(mask=pl.when("surely").then(bit).otherwise(0).bitwise_or())
        .rename({"mask": f"{name}_mask"})
    )
    others = (
        near.filter(~pl.col("surely"), pl.col("site").is_in(sites))
        .join(sure, on="patient_no")
        .filter((pl.col(f"{name}_mask") & bit) == 0)
        .select("patient_no", surely=pl.lit(False))
    )
    until = pl.col("index_latest").dt.offset_by(grace)
    more = asked(record, TABLE, patients, others, until=until, codes=sites).select(
        "patient_no", pl.col("maybe").alias(f"{name}_more")
    )
    return (
        patients.select("patient_no")
        .join(sure, on="patient_no", how="left")
        .join(more, on="patient_no", how="left")
        .with_columns(pl.col(f"{name}_mask").fill_null(0))
    )


def _metastatic(
    record: Record, found: pl.LazyFrame, patients: pl.LazyFrame, grace: str
) -> pl.LazyFrame:
    """Tell whether the patient has a metastasis by the index date: one row per patient."""
    rows = pl.concat(
        [
            found.select("patient_no", "earliest", "latest", "surely"),
            m_categories(record),
        ]
    )
    until = pl.col("index_latest").dt.offset_by(grace)
    near = rows.join(patients, on="patient_no", how="inner").filter(maybe_by(until).fill_null(True))
    by_then = surely_by(pl.col("index_earliest").dt.offset_by(grace)).fill_null(False)
    near = near.select("patient_no", surely=pl.col("surely") & by_then)
    answer = asked(record, TABLE, patients, near, until=until)
    undiagnosed = asked(record, "diagnoses", patients, NO_ROWS, until=until)
    return (
        answer.join(undiagnosed.select("patient_no", unread="maybe"), on="patient_no")
        .with_columns(maybe=pl.col("maybe") | pl.col("unread"))
        .select("patient_no", metastatic=yes_no())
    )


def _lung(record: Record, found: pl.LazyFrame, patients: pl.LazyFrame, grace: str) -> pl.LazyFrame:
    """Tell when lung metastasis was found: one row per patient."""
    lung = found.filter(pl.col("site") == "lung")
    # A site that was found says where an M1 was.
    explained = found.filter("surely").select("patient_no")
    unexplained = m_categories(record).join(explained, on="patient_no", how="anti")
    nowhere = pl.concat(
        [
            found.filter(pl.col("site") == "unspecified").select(
                "patient_no", "earliest", "latest"
            ),
            unexplained.select("patient_no", "earliest", "latest"),
        ]
    ).with_columns(surely=pl.lit(False))
    rows = pl.concat([lung.select("patient_no", "earliest", "latest", "surely"), nowhere])
    until = pl.col("index_latest").dt.offset_by(grace)
    near = rows.join(patients, on="patient_no", how="inner").filter(maybe_by(until).fill_null(True))
    by_then = surely_by(pl.col("index_earliest").dt.offset_by(grace)).fill_null(False)
    in_time = asked(
        record,
        TABLE,
        patients,
        near.select("patient_no", surely=pl.col("surely") & by_then),
        until=until,
        codes=_LUNG,
    )
    ever = asked(
        record,
        TABLE,
        patients,
        rows.select("patient_no", "surely"),
        until=pl.lit(record.as_of),
        codes=_LUNG,
    ).select("patient_no", ever="surely", perhaps="maybe")
    unread = asked(record, "diagnoses", patients, NO_ROWS, until=pl.lit(record.as_of))
    first = first_if_certain(record, TABLE, lung, "earliest", "metastasis_id", certain="surely")
    timing = (
        pl.when("surely")
        .then(pl.lit("in_time"))
        .when(~pl.col("maybe") & pl.col("ever"))
        .then(pl.lit("late"))
        .when(~pl.col("perhaps") & ~pl.col("unread"))
        .then(pl.lit("none"))
    )
    return (
        in_time.join(ever, on="patient_no")
        .join(unread.select("patient_no", unread="maybe"), on="patient_no")
        .join(
            first.select("patient_no", lung_date="earliest", lung_row="metastasis_id"),
            on="patient_no",
            how="left",
        )
        .select(
            "patient_no", "lung_date", "lung_row", lung_timing=timing.cast(pl.Enum(LUNG_TIMING))
        )
    )


def _named(mask: str) -> pl.Expr:
    return pl.col(mask).replace_strict(_NAMES, default=None, return_dtype=pl.String)


def _liu_variables() -> list[pl.Expr]:
    mask, more = pl.col("liu_mask"), pl.col("liu_more")
    known = mask.bitwise_count_ones().cast(pl.UInt8)
    group = mask.replace_strict(_GROUPS, default=None, return_dtype=pl.String)
    return [
        pl.when(~more).then(known).alias("sites_known"),
        pl.when(~more).then(_named("liu_mask")).alias("sites"),
        _named("liu_mask").alias("sites_at_least"),
        pl.when(~more).then(group).cast(pl.Enum(LIU_SITE_GROUP)).alias("liu_site_group"),
        pl.when(known >= 2)
        .then(pl.lit("multi"))
        .when((known == 1) & ~more)
        .then(pl.lit("single"))
        .cast(pl.Enum(SITE_COUNT))
        .alias("site_count"),
    ]


def _extent() -> pl.Expr:
    in_time = (pl.col("lung_timing") == "in_time").fill_null(False)
    organs = sum(BIT[site] for site in _ORGANS)
    return (
        pl.when(in_time & ((pl.col("jin_mask") & organs) > 0))
        .then(pl.lit("lung_and_other"))
        .when(in_time & ~pl.col("jin_more"))
        .then(pl.lit("lung"))
        .cast(pl.Enum(EXTENT))
    )
