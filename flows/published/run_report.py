"""What run.json says, read with its types: a file that says something else is no report."""

from datetime import date, datetime

from pydantic import BaseModel, ConfigDict, ValidationError

_MOST_PROBLEMS = 3


class _Read(BaseModel):
    model_config = ConfigDict(strict=True, extra="allow", frozen=True)


class FileReport(_Read):
    """What became of one input file."""

    table: str
    file: str
    sha256: str
    rows_read: int
    rows_loaded: int
    rows_quarantined: int
    duplicates: int
    lines: int | None = None
    cells_set_aside: int | None = None


class ModelReport(_Read):
    """A model that a night used."""

    sha256: str
    local: bool = False


class RunReport(_Read):
    """What a night says of itself, as far as others rely on it."""

    run_id: str
    as_of: date
    folder: str
    patients: int
    to_review: int
    newly_flagged: int
    files: list[FileReport]
    outputs: dict[str, str]
    rows: dict[str, int] | None = None
    models: dict[str, ModelReport]
    flags: dict[str, dict[str, int]]
    by_model: dict[str, dict[str, int]]
    replayed: bool
    finished_at: datetime
    warnings: list[str]
    pseudonyms: str | None = None
    encrypted: bool = False
    previous: str | None = None
    previous_sha256: str | None = None
    signature: str | None = None


def parsed(content: bytes) -> RunReport:
    """Read run.json. Raises ValueError, which names the fields that are wrong and quotes none."""
    try:
        return RunReport.model_validate_json(content)
    except ValidationError as error:
        problems = error.errors(include_url=False, include_input=False, include_context=False)
    if problems[0]["type"] == "json_invalid":
        raise ValueError("missing or not whole")
    fields = [".".join(str(part) for part in problem["loc"]) or "all" for problem in problems]
    raise ValueError(f"not the report of a night ({', '.join(fields[:_MOST_PROBLEMS])})")
