"""Reading files: any dialect comes in the same; what is no row is kept with its reason."""

import gzip
from pathlib import Path

import polars as pl
import pytest

from flows.errors import NightRefused, UsageError
from flows.intake.export import SourceFile, open_export
from flows.intake.rows import batches
from flows.settings import Settings, load_mapping, load_settings
from schemas.registry import TABLES
from tests.flows.conftest import RunNight
from tests.registry import Registry, days
from transforms.reading.mapping import Mapping

HEADER = "surgery_id,patient_id,surgery_date,procedure\n"
ROWS = "S1,A,2020-01-01,total\nS2,B,2020-02-01,lobectomy\n"


def read(path: Path, mapping: Mapping | None = None, table: str = "surgeries") -> pl.DataFrame:
    file = SourceFile(table, path, "", path.stat().st_size)
    scratch = path.parent / "scratch"
    scratch.mkdir(exist_ok=True)
    return pl.concat(batches(file, mapping or Mapping(), scratch, Settings()))


@pytest.fixture
def plain(tmp_path: Path) -> pl.DataFrame:
    path = tmp_path / "surgeries.csv"
    path.write_text(HEADER + ROWS)
    return read(path)


@pytest.mark.parametrize(
    "text",
    [
        (HEADER + ROWS).encode(),
        b"\xef\xbb\xbf" + (HEADER + ROWS).encode(),
        (HEADER + ROWS).replace(",", ";").encode(),
        (HEADER + ROWS).replace(",", "\t").encode(),
        (HEADER + ROWS).replace(",", "|").encode(),
        (HEADER + ROWS).replace("\n", "\r\n").encode(),
        (HEADER + ROWS).removesuffix("\n").encode(),
        (HEADER + ROWS + "\n\n").encode(),
        (HEADER + ROWS.replace("total", '"total"')).encode(),
        "\n".join(
            ",".join(f'"{cell}"' for cell in line.split(",")) for line in (HEADER + ROWS).split()
        ).encode(),
        b"procedure,surgery_date,surgery_id,patient_id\n"
        b"total,2020-01-01,S1,A\nlobectomy,2020-02-01,S2,B\n",
    ],
    ids=["plain", "BOM", "semicolon", "tab", "pipe", "CRLF", "no last line break", "blank lines"]
    + ["some quotes", "all quoted", "columns in another order"],
)
def test_every_dialect_reads_the_same(tmp_path: Path, plain: pl.DataFrame, text: bytes) -> None:
    path = tmp_path / "surgeries.csv"
    path.write_bytes(text)
    assert read(path).to_dicts() == plain.to_dicts()
    packed = tmp_path / "surgeries.csv.gz"
    packed.write_bytes(gzip.compress(text))
    assert read(packed).to_dicts() == plain.to_dicts()


def test_parquet_reads_as_the_same_text(tmp_path: Path, plain: pl.DataFrame) -> None:
    frame = plain.select(TABLES["surgeries"].columns).with_columns(
        pl.col("surgery_date").str.to_date()
    )
    frame.write_parquet(tmp_path / "surgeries.parquet")
    read_back = read(tmp_path / "surgeries.parquet")
    columns = [*TABLES["surgeries"].columns, "row_hash"]
    assert read_back.select(columns).to_dicts() == plain.select(columns).to_dicts()


def test_a_quoted_line_break_stays_in_its_cell_and_lines_are_still_right(tmp_path: Path) -> None:
    path = tmp_path / "surgeries.csv"
    path.write_text(HEADER + 'S1,A,2020-01-01,"to\ntal"\n' + "S2,B,2020-02-01,lobectomy\n")
    rows = read(path)
    assert rows["procedure"].to_list() == ["to\ntal", "lobectomy"]
    assert rows["line"].to_list() == [2, 4]


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        (b"S9,A,2020-01-01\n", "row: 3 fields where the header has 4"),
        (b"S9,A,2020-01-01,total,more\n", "row: 5 fields where the header has 4"),
        (b"S9,A,2020-01-01,tot\xfcl\n", "row: not UTF-8"),
        (b'S9,"A,2020-01-01\n', "row: a quote is opened and not closed"),
    ],
)
def test_a_line_that_is_no_row_is_kept_with_its_reason(
    tmp_path: Path, bad: bytes, why: str
) -> None:
    path = tmp_path / "surgeries.csv"
    path.write_bytes((HEADER + ROWS).encode() + bad)
    rows = read(path)
    assert rows.height == 3
    assert rows["unreadable"].to_list() == [None, None, why]
    assert rows["extra"][2].startswith("S9")


def test_a_short_line_beside_a_long_one_is_found(night: RunNight, tmp_path: Path) -> None:
    export = Registry().usual("A").usual("B").usual("C").write(tmp_path / "export")
    lines = (export / "surgeries.csv").read_text().splitlines()
    lines[1] += ",more"
    lines[2] = lines[2].rpartition(",")[0]
    (export / "surgeries.csv").write_text("\n".join(lines) + "\n")
    result = night(export)
    quarantine = pl.read_parquet(result.folder / "quarantine.parquet", hive_partitioning=False)
    assert quarantine["line"].to_list() == [2, 3]
    assert quarantine["original"].to_list() == lines[1:3]
    (file,) = (file for file in result.files if file.table == "surgeries")
    assert (file.rows_read, file.rows_loaded, file.rows_quarantined) == (3, 1, 2)


def test_columns_outside_the_contract_are_kept_as_json(tmp_path: Path) -> None:
    path = tmp_path / "surgeries.csv"
    path.write_text("surgeon," + HEADER + "x,S1,A,2020-01-01,total\n")
    assert read(path)["extra"].to_list() == ['{"surgeon":"x"}']


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "empty"),
        ((HEADER + ROWS).encode("utf-16"), "UTF-16"),
        (HEADER.replace("procedure", "kind").encode(), "no column procedure"),
        (HEADER.replace("procedure", "surgery_id").encode(), "appear twice: surgery_id"),
    ],
)
def test_a_file_that_cannot_be_the_table_is_refused_with_its_name(
    tmp_path: Path, content: bytes, message: str
) -> None:
    path = tmp_path / "surgeries.csv"
    path.write_bytes(content)
    with pytest.raises(NightRefused, match=r"surgeries\.csv.*" + message):
        read(path)


@pytest.mark.parametrize("name", ["surgeries.parquet", "surgeries.csv.gz"])
def test_damaged_files_are_refused(tmp_path: Path, name: str, plain: pl.DataFrame) -> None:
    path = tmp_path / name
    if name.endswith("parquet"):
        plain.select(TABLES["surgeries"].columns).write_parquet(path)
    else:
        path.write_bytes(gzip.compress((HEADER + ROWS).encode()))
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(NightRefused, match=f"surgeries.*{name.split('.')[-1][:2]}"):
        read(path)


def test_tables_may_come_in_parts_and_other_files_are_left_aside(tmp_path: Path) -> None:
    Registry().usual("A").write(tmp_path)
    (tmp_path / "surgeries-2024.csv").write_text(HEADER)
    (tmp_path / "readme.txt").write_text("hello")
    export = open_export(tmp_path)
    assert [f.path.name for f in export.files["surgeries"]] == [
        "surgeries-2024.csv",
        "surgeries.csv",
    ]
    assert export.ignored == ("readme.txt",)


def test_a_hospital_is_one_mapping_file(night: RunNight, tmp_path: Path) -> None:
    plain = Registry().usual("A").metastasis("A", "lung").ct("A", size=12.5, unit="mm")
    plain.stg("A", 700.5)
    expected = night(plain.write(tmp_path / "plain"), to=tmp_path / "one", mapping=Mapping())
    export = plain.write(tmp_path / "foreign", separator=";")
    text = (export / "labs.csv").read_text()
    text = text.replace("stimulated", "STIM").replace("yes", "J").replace("700.5", "700,5")
    (export / "labs.csv").write_text(text.replace("Tg;=", "Tg;"))
    images = pl.read_csv(export / "imaging.csv", separator=";", infer_schema=False)
    images.drop("largest_lung_nodule_unit").with_columns(
        largest_lung_nodule=pl.lit("12,5")
    ).write_csv(export / "imaging.csv", separator=";")
    activity = (export / "i131_treatments.csv").read_text().replace("5.55", "5,55")
    (export / "i131_treatments.csv").write_text(activity)
    mapping = tmp_path / "hospital.toml"
    mapping.write_text("""
        decimal_comma = true
        [tables.labs]
        columns = { stimulated = "STIM" }
        codes = { stimulated = { J = "yes" }, comparator = { "" = "=" } }
        [tables.imaging]
        units = { largest_lung_nodule_unit = "mm" }
    """)
    result = night(export, mapping=load_mapping(mapping), to=tmp_path / "two")
    name = "features.parquet"
    one, two = (
        pl.read_parquet(r.folder / name, hive_partitioning=False) for r in (expected, result)
    )
    assert two.to_dicts() == one.to_dicts()
    assert (two["stg_500"][0], two["nodule_cm"][0], two["stg_date"][0]) == (
        "at_or_above",
        1.25,
        days(-3),
    )


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("[tables.lab]", "no such table"),
        ("[tables.labs]\ncolumns = { result = 'X' }", "no such column"),
        ("surprise = 1", "surprise"),
        ("[tables", "not TOML"),
    ],
)
def test_a_bad_mapping_says_what_is_wrong(tmp_path: Path, text: str, complaint: str) -> None:
    (tmp_path / "m.toml").write_text(text)
    with pytest.raises(UsageError, match=complaint):
        load_mapping(tmp_path / "m.toml")


def test_settings_come_from_a_file_and_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "s.toml"
    path.write_text("max_bad_share = 0.4\n[windows]\nfdg_days = 14\n")
    monkeypatch.setenv("THYRISK_MAX_BAD_SHARE", "0.1")
    settings = load_settings(path)
    assert (settings.max_bad_share, settings.windows.fdg_days) == (0.1, 14)
    path.write_text("[windows]\nfdg_days = -1\nfgd_days = 3\n")
    with pytest.raises(UsageError, match=r"(?s)windows\.fdg_days.*windows\.fgd_days"):
        load_settings(path)
