"""Since when a fact is known: the first night that had it, carried from night to night.

The first night of all is a baseline: what was true before it has no such night, and is never new.
A patient who was in no night before is known, with all that is true, since tonight.
"""

import polars as pl

_SINCE = "="


def known_since(facts: pl.DataFrame, last: pl.DataFrame) -> pl.DataFrame:
    """Add `known_since` to facts: null where the first night of all knew it.

    `last` has one row per patient: patient_no, as_of, known_last (was in the night before),
    last_known_facts (what that night had; null where it did not say) and is_baseline (there was no
    night before).
    """
    before = (
        last.select("patient_no", "last_known_facts")
        .explode("last_known_facts")
        .drop_nulls()
        .select(
            "patient_no",
            fact=pl.col("last_known_facts").str.extract(f"^(.*){_SINCE}", 1),
            since=pl.col("last_known_facts")
            .str.extract(f"{_SINCE}(.*)$", 1)
            .str.to_date("%Y-%m-%d", strict=False),
            was_known=pl.lit(True),
        )
    )
    unsaid = pl.col("is_baseline") | (
        pl.col("known_last").fill_null(False) & pl.col("last_known_facts").is_null()
    )
    nights = last.select("patient_no", "as_of", unsaid=unsaid)
    return (
        facts.join(nights, on="patient_no", how="left", maintain_order="left")
        .join(before, on=["patient_no", "fact"], how="left", maintain_order="left")
        .with_columns(
            known_since=pl.when(pl.col("was_known").fill_null(False))
            .then("since")
            .when(~pl.col("unsaid"))
            .then("as_of")
        )
        .drop("as_of", "unsaid", "since", "was_known")
    )


def carried(facts: pl.DataFrame) -> pl.DataFrame:
    """Return what the next night needs to know: one row per patient with a fact, known_facts."""
    words = pl.format(
        f"{{}}{_SINCE}{{}}", "fact", pl.col("known_since").cast(pl.String).fill_null("")
    )
    return facts.group_by("patient_no").agg(known_facts=words.sort())
