"""Metastasis sites: how many (Liu 2022) and how far beyond the lung (Jin 2025).

For Liu, the distinct sites known by the index date with 7 days' grace: single or multi (two or
more), and the paper's eleven groups (Fig. 2; null for a combination that it does not list).

For Jin, lung metastasis found no later than 6 months after the index date: `lung`, or
`lung_and_other` when another organ was found by then too (lymph nodes are not an organ here).
lung_timing says in_time, late or none.

A quarantined finding that may fall in the window makes "single", "lung" and "none" unknown
(null): that nothing else was found is then not known.
Source: Liu 2022, Table 1 and Fig. 2; Jin 2025, Methods, "Patients".
"""

import polars as pl

from schemas.codes import EXTENT, LIU_SITE_GROUP, LUNG_TIMING, SITE, SITE_COUNT
from transforms.variables.as_of import first_rows, may_hide
from transforms.variables.windows import Windows

BIT = {site: 1 << position for position, site in enumerate(SITE)}
_ALL_SITES = range(1, 1 << len(SITE))
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


def _sites_in(mask: int) -> list[str]:
    return [site for site in SITE if mask & BIT[site]]


_NAMES = {mask: ", ".join(_sites_in(mask)) for mask in _ALL_SITES}
_GROUPS = {mask: LIU_SITE_GROUP[-1] for mask in _ALL_SITES if mask.bit_count() >= 3} | {
    sum(BIT[site] for site in sites): group
    for sites, group in zip(_GROUP_SITES, LIU_SITE_GROUP, strict=False)
}


def metastases(
    metastases: pl.LazyFrame, index: pl.LazyFrame, set_aside: pl.LazyFrame, windows: Windows
) -> pl.LazyFrame:
    """Return one row per patient with an index date.

    site_count (single, multi), sites_known (number), sites (names), liu_site_group,
    metastatic (a site is known by the index date; null when one may be quarantined),
    metastasis_date and metastasis_row (the first finding); extent, lung_timing,
    lung_date and lung_row (the first finding in the lung).
    """
    by_index = pl.col("index_date").dt.offset_by(f"{windows.metastasis_grace_days}d")
    by_extent = pl.col("index_date").dt.offset_by(f"{windows.lung_months}mo")
    found = _found(metastases, index, by_index, by_extent)
    index = index.filter(pl.col("index_date").is_not_null()).select("patient_no", "index_date")
    liu_doubt = may_hide(index, set_aside, "metastases", until=by_index)
    jin_doubt = may_hide(index, set_aside, "metastases", until=by_extent)
    return (
        index.join(found, on="patient_no", how="left")
        .join(liu_doubt.rename({"may_hide": "liu_doubt"}), on="patient_no", how="left")
        .join(jin_doubt.rename({"may_hide": "jin_doubt"}), on="patient_no", how="left")
        .with_columns(
            pl.col("liu_doubt", "jin_doubt").fill_null(False),
            pl.col("liu_mask", "jin_mask").fill_null(0),
        )
        .select("patient_no", *_liu_variables(), *_jin_variables(by_extent))
    )


def _found(
    metastases: pl.LazyFrame, index: pl.LazyFrame, by_index: pl.Expr, by_extent: pl.Expr
) -> pl.LazyFrame:
    """Return one row per patient with a finding: site masks, and the first findings."""
    bit = pl.col("site").cast(pl.String).replace_strict(BIT, return_dtype=pl.Int32)
    when = pl.col("detected_date")
    masks = (
        metastases.join(index, on="patient_no", how="inner")
        .with_columns(
            liu_bit=pl.when(when <= by_index).then(bit).otherwise(0),
            jin_bit=pl.when(when <= by_extent).then(bit).otherwise(0),
        )
        .group_by("patient_no")
        .agg(liu_mask=pl.col("liu_bit").bitwise_or(), jin_mask=pl.col("jin_bit").bitwise_or())
    )
    first = first_rows(metastases, "detected_date", "metastasis_id").select(
        "patient_no", metastasis_date="detected_date", metastasis_row="metastasis_id"
    )
    lung = metastases.filter(pl.col("site") == "lung")
    first_lung = first_rows(lung, "detected_date", "metastasis_id").select(
        "patient_no", lung_date="detected_date", lung_row="metastasis_id"
    )
    return masks.join(first, on="patient_no", how="left").join(
        first_lung, on="patient_no", how="left"
    )


def _liu_variables() -> list[pl.Expr]:
    mask, doubt = pl.col("liu_mask"), pl.col("liu_doubt")
    known = mask.bitwise_count_ones().cast(pl.UInt8)
    return [
        known.alias("sites_known"),
        mask.replace_strict(_NAMES, default=None, return_dtype=pl.String).alias("sites"),
        mask.replace_strict(_GROUPS, default=None, return_dtype=pl.String)
        .cast(pl.Enum(LIU_SITE_GROUP))
        .pipe(lambda group: pl.when(~doubt).then(group))
        .alias("liu_site_group"),
        pl.when(known >= 2)
        .then(pl.lit("multi"))
        .when((known == 1) & ~doubt)
        .then(pl.lit("single"))
        .cast(pl.Enum(SITE_COUNT))
        .alias("site_count"),
        pl.when(known > 0).then(True).when(~doubt).then(False).alias("metastatic"),
        pl.col("metastasis_date"),
        pl.col("metastasis_row"),
    ]


def _jin_variables(by_extent: pl.Expr) -> list[pl.Expr]:
    mask, doubt = pl.col("jin_mask"), pl.col("jin_doubt")
    in_time = (pl.col("lung_date") <= by_extent).fill_null(False)
    organs = sum(bit for site, bit in BIT.items() if site not in ("lymph_node", "lung"))
    other = (mask & organs) > 0
    return [
        pl.when(in_time & other)
        .then(pl.lit("lung_and_other"))
        .when(in_time & ~doubt)
        .then(pl.lit("lung"))
        .cast(pl.Enum(EXTENT))
        .alias("extent"),
        pl.when(in_time)
        .then(pl.lit("in_time"))
        .when(doubt)
        .then(None)
        .when(pl.col("lung_date").is_not_null())
        .then(pl.lit("late"))
        .otherwise(pl.lit("none"))
        .cast(pl.Enum(LUNG_TIMING))
        .alias("lung_timing"),
        pl.col("lung_date"),
        pl.col("lung_row"),
    ]
