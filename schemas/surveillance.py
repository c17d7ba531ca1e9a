"""What surveillance publishes: the predictions that are followed, and what is seen of them."""

import pandera.polars as pa
import polars as pl

from schemas.fields import of


class PastPredictions(pa.DataFrameModel):
    """One row per patient, model and prediction that surveillance follows, as it was published.

    Of each patient and model: the first complete prediction, and a year after it the one of the
    night then, for as many years as surveillance looks back on.
    """

    patient_id: str = of("patient", nullable=False)
    model: str = of("name of the model", nullable=False)
    predicted_on: pl.Date = of("the night that published it", nullable=False)
    index_date: pl.Date = of("index date, as known then", nullable=False)
    points: float = of("points")
    probability: float = of("predicted probability of RR-DTC")
    survival_3y: float = of("predicted 3-year survival")
    survival_5y: float = of("predicted 5-year survival")
    survival_10y: float = of("predicted 10-year survival")


class Surveillance(pa.DataFrameModel):
    """One row per figure and quarter: what past predictions came to, drift, review verdicts.

    A figure of an earlier quarter is that of the quarter's last night, but a CUSUM, which is made
    anew from the outcomes as they are known tonight. Counts are multiples of `round_counts`.
    """

    model: str = of("name of the model, or the cohort whose share it is; null for reviews")
    measure: str = of(
        "oe: events seen to expected; c: Uno's C; incidence: observed by 3 years; cusum_more, "
        "cusum_fewer: CUSUM as a share of its threshold; share_*: of patients first treated lately "
        "with a predictor's level; points: their mean; known_*, scored_*, confirmed_*: the latest "
        "of these quality measures, of reviews each period",
        nullable=False,
    )
    words: str = of("the figure in words", nullable=False)
    start: pl.Date = of("first day of the quarter (of a quality measure: period)", nullable=False)
    until: pl.Date = of("the night that the figure is of", nullable=False)
    patients: pl.Int64 = of("patients that it is of; of oe: predictions")
    events: pl.Int64 = of("events seen")
    expected: float = of("events expected; of incidence: mean predicted probability")
    value: float = of("the figure; null where `note` says why")
    lower: float = of("lower end of its 95 % interval")
    upper: float = of("upper end of its 95 % interval")
    reference: float = of(
        "what it is beside: 1 (oe); the C that these predictions would have, were they right; the "
        "share of the development cohort; of a CUSUM its threshold, 1"
    )
    limit_lower: float = of("a value below it is a signal")
    limit_upper: float = of("a value above it (of a CUSUM: at it) is a signal")
    signal: str = of("what is a reason to look; null: nothing")
    note: str = of("why there is no figure, or what to know of it")
    suppressed: bool = of("left out: so few that a patient could be recognised", nullable=False)
