"""SQL over the nights reads the nights and nothing else, writes nothing, and quotes no cell."""

from pathlib import Path

import pytest

from flows.errors import UsageError
from flows.published.query import query
from flows.secrets import NO_KEYS, Keys
from tests.flows.conftest import RunNight, publish
from tests.registry import Registry


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a night, beside which lie two files that are none of a query's."""
    root = tmp_path_factory.mktemp("queried")
    registry = Registry().usual("CANARY", 62).metastasis("CANARY", "lung").ct("CANARY")
    out = publish(registry.write(root / "it's an export"), root / "out").folder.parent
    (out / "secret.csv").write_text("a\nSECRET\n")
    (out / "other.parquet").write_bytes((out / "latest" / "needs.parquet").read_bytes())
    return out


def digests(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_select_reads_every_night_and_the_newest_alone(published: Path) -> None:
    for sql in (
        "SELECT count(*) AS n FROM patient_risk",
        "WITH a AS (FROM latest.patient_risk) SELECT count(*) AS n FROM a",
    ):
        assert query(sql, published, NO_KEYS)["n"].to_list() == [1]
    assert query("DESCRIBE worklist", published, NO_KEYS).height > 3


@pytest.mark.parametrize(
    "sql",
    [
        "COPY (FROM patient_risk) TO '{out}/x.csv'",
        "COPY (FROM patient_risk) TO '{night}/features.parquet' (FORMAT parquet)",
        "ATTACH '{out}/warehouse.duckdb' AS w",
        "INSTALL httpfs",
        "LOAD httpfs",
        "SET enable_external_access = true",
        "PRAGMA database_list",
        "CREATE TABLE t AS FROM patient_risk",
        "EXPORT DATABASE '{out}/x'",
        "SELECT 1; COPY (SELECT 1) TO '{out}/x.csv'",
        "FROM read_csv('{out}/secret.csv')",
        "FROM '{out}/secret.csv'",
        "FROM read_text('{out}/secret.csv')",
        "FROM glob('{out}/*')",
        "FROM read_parquet('{out}/other.parquet')",
        "FROM query('COPY (SELECT 1) TO ''{out}/x.csv''')",
        "FROM files",
        "",
    ],
)
def test_files_copy_attach_and_extensions_are_refused(published: Path, sql: str) -> None:
    before = digests(published)
    with pytest.raises(UsageError, match="query: ") as raised:
        query(sql.format(out=published, night=published / "latest"), published, NO_KEYS)
    assert "SECRET" not in str(raised.value)
    assert digests(published) == before


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT patient_id::INT FROM patient_risk",
        "SELECT error(patient_id) FROM patient_risk",
        "SELECT patient_id::DATE FROM latest.features",
        "SELECT strptime(patient_id, '%Y') FROM patient_risk",
        "SELECT (FROM (SELECT patient_id FROM patient_risk) SELECT patient_id::UUID)",
    ],
)
def test_errors_quote_no_cell(published: Path, sql: str) -> None:
    with pytest.raises(UsageError, match="query: ") as raised:
        query(sql, published, NO_KEYS)
    assert "CANARY" not in str(raised.value)
    assert raised.value.__cause__ is None


def test_encrypted_nights_are_read_under_the_same_lock(
    night: RunNight, out: Path, tmp_path: Path
) -> None:
    keys = Keys(encryption=bytes(range(32)))
    night(Registry().usual("A").write(tmp_path / "export"), keys=keys)
    assert query("SELECT patient_id FROM patient_risk", out, keys).height == 1
    with pytest.raises(UsageError, match="query: "):
        query(f"FROM read_text('{out}/latest/run.json')", out, keys)
