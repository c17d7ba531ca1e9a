import polars as pl

from transforms.units import divided


def test_a_quotient_does_not_depend_on_how_many_rows_there_are() -> None:
    # 60 / 30.4375 differs in its last bit between one row and several (polars 2.1).
    column = pl.Series("days", [60] * 9)
    quotients = {
        rows: pl.DataFrame({"days": column[:rows]}).select(divided(pl.col("days"), 30.4375))
        for rows in range(1, 10)
    }
    assert len({value for frame in quotients.values() for value in frame["days"]}) == 1
