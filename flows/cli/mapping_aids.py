"""The commands `thyrisk map inspect` and `draft`: from files to a mapping to start from."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

if TYPE_CHECKING:
    from transforms.inspection.found import Inspection

out_console = Console()
err_console = Console(stderr=True)

_Files = Annotated[
    list[Path],
    typer.Argument(
        help="Files, or folders of files: csv, tsv, txt, parquet, xlsx, ods, ndjson, json.",
        show_default=False,
    ),
]
_Html = Annotated[Path | None, typer.Option("--html", help="Write a page that needs nothing else.")]
_Json = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
_Sample = Annotated[
    int | None,
    typer.Option(min=1, help="Look at the first so many records alone; said in what is printed."),
]
_Settings = Annotated[
    Path | None, typer.Option(help="Settings (TOML): smallest_cell and umask are used.")
]


def inspect(
    files: _Files,
    html: _Html = None,
    as_json: _Json = False,
    sample: _Sample = None,
    settings: _Settings = None,
) -> None:
    """Say what is in files that nobody has mapped yet. Nothing is written but the page.

    Per column: its kind with the evidence, spellings of unknown, codes with counts, how dates
    and decimals are written, units, ranges; per file: likely keys, who identifies patients,
    columns to unpivot; between files: shared values. No identifier, name or text is shown.

    Example: thyrisk map inspect export/*.csv

    Example: thyrisk map inspect /data/forms --html forms.html
    """
    found = _looked(files, sample, settings)
    from flows.inspection import telling

    if html is not None:
        from flows.inspection.page import page

        _write(html, page(found), settings)
    if as_json:
        print(json.dumps(telling.as_json(found), indent=2, ensure_ascii=False))  # noqa: T201
    elif html is None:
        telling.show(found, out_console)


def draft(
    files: _Files,
    out: Annotated[
        Path | None, typer.Option("--out", help="Write the mapping here; it must not exist.")
    ] = None,
    accept: Annotated[
        float | None,
        typer.Option(min=0.5, max=1, help="Accept lines that are at least so sure: 0.9."),
    ] = None,
    html: _Html = None,
    as_json: _Json = False,
    sample: _Sample = None,
    settings: _Settings = None,
) -> None:
    """Propose a mapping, each line with how sure it is and why. It accepts nothing by itself.

    Names of columns are known in English, German, French, Spanish, Italian and Chinese; codes,
    dates and units are told from what cells say. A unit is never told from how large numbers
    are, and what the registry collects is asked, not guessed. Every line is a comment, unless
    --accept says from where on they count; what is in doubt stands there as a question.

    Example: thyrisk map draft export/*.csv --out hospital.toml

    Example: thyrisk map draft /data/forms --accept 0.9 --html draft.html --out hospital.toml
    """
    found = _looked(files, sample, settings)
    from models.spec import library
    from transforms.inspection.drafting import as_dict, toml
    from transforms.inspection.needs import lacking
    from transforms.inspection.proposals import propose

    proposed = propose(found.tables)
    missing = lacking(proposed.found, library())
    text = toml(proposed, missing, accept)
    if out is not None:
        _write(out, text, settings, is_new=True)
    if html is not None:
        from flows.inspection.page import page

        _write(html, page(found, text), settings)
    if as_json:
        print(json.dumps(as_dict(proposed, missing), indent=2, ensure_ascii=False))  # noqa: T201
    elif out is None and html is None:
        print(text, end="")  # noqa: T201 - to be piped into a file


def mount(app: typer.Typer) -> None:
    """Add the commands to the application of `thyrisk map`."""
    app.command()(inspect)
    app.command()(draft)


def _looked(files: list[Path], sample: int | None, settings: Path | None) -> "Inspection":
    from flows.inspection.looking import inspect as look
    from flows.settings import load_settings

    smallest = load_settings(settings).smallest_cell
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=err_console, transient=True) as progress:
        task = progress.add_task("looking", total=1.0)
        return look(
            files,
            smallest,
            sample,
            lambda what, share: progress.update(task, description=what, completed=share),
        )


def _write(path: Path, text: str, settings: Path | None, is_new: bool = False) -> None:
    from flows.errors import UsageError, told
    from flows.night import private
    from flows.settings import load_settings

    with told(path), private(load_settings(settings).umask):
        if is_new and path.exists():
            raise UsageError(
                f"{path} is there already: what was written by hand stays; name another"
            )
        path.write_text(text, "utf-8")
    err_console.print(f"written: {path}", markup=False, soft_wrap=True)
