"""Writing a synthetic registry as an export folder."""

import gzip
import json
from datetime import date
from pathlib import Path

import polars as pl

from flows.disk import sha256
from flows.synth import Registry
from flows.synth.columns import END


def write_export(
    registry: Registry, out: Path, *, mixed: bool = False, extracted: date = END
) -> int:
    """Write the tables, a manifest, and the truth; return the number of rows."""
    (out / "truth").mkdir(parents=True, exist_ok=True)
    entries = []
    for name, frame in registry.tables.items():
        path = _write(frame, name, out, mixed)
        entries.append({"file": path.name, "sha256": sha256(path), "rows": frame.height})
    manifest = {"extracted_at": f"{extracted}T00:00:00Z", "files": entries}
    (out / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n", "utf-8")
    registry.truth.write_parquet(out / "truth" / "patients.parquet")
    registry.dirt.write_parquet(out / "truth" / "dirt.parquet")
    return sum(frame.height for frame in registry.tables.values())


def _write(frame: pl.DataFrame, name: str, out: Path, mixed: bool) -> Path:
    if mixed and name == "imaging":
        path = out / f"{name}.parquet"
        frame.write_parquet(path)
    elif mixed and name == "labs":
        path = out / f"{name}.csv.gz"
        path.write_bytes(gzip.compress(frame.write_csv().encode(), mtime=0))
    else:
        path = out / f"{name}.csv"
        frame.write_csv(path)
    return path
