"""A mapping as it lies on the disk: one TOML file or a folder of them; errors name the line."""

import re
import tomllib
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from flows.errors import UsageError
from transforms.reading.mapping import Mapping

_KEY = r"""(?:"(?:[^"\\]|\\.)*"|'[^']*'|[\w-]+)"""
_KEYS = rf"{_KEY}(?:\s*\.\s*{_KEY})*"
_HEADER = re.compile(rf"^\s*\[(\[)?\s*({_KEYS})\s*\]")
_PAIR = re.compile(rf"^\s*({_KEYS})\s*=")
_KINDS = ("value_error", "assertion_error")


def read_mapping(path: Path) -> Mapping:
    """Read a mapping. Raises UsageError, each problem with its file, line and key."""
    files = sorted(path.glob("*.toml")) if path.is_dir() else [path]
    if not files:
        raise UsageError(f"mapping {path}: a folder without any .toml file")
    content: dict[str, Any] = {}
    texts: dict[Path, str] = {}
    for file in files:
        texts[file], said = _read(file)
        _merge(content, said, str(file))
    try:
        return Mapping(**content)
    except ValidationError as error:
        problems = (_problem(dict(one), texts) for one in error.errors(include_url=False))
        raise UsageError(f"mapping {path}:\n" + "\n".join(problems)) from None


def _read(file: Path) -> tuple[str, dict[str, Any]]:
    try:
        text = file.read_text("utf-8")
        return text, tomllib.loads(text)
    except OSError as error:
        raise UsageError(f"mapping: cannot read {file}: {error.strerror}") from error
    except ValueError as error:
        raise UsageError(f"mapping {file}: not TOML: {error}") from error


def _merge(content: dict[str, Any], said: dict[str, Any], file: str, at: str = "") -> None:
    """Add what one file says. Raises UsageError for what another file has said already."""
    for key, value in said.items():
        there = content.setdefault(key, value)
        if there is value:
            continue
        if isinstance(there, dict) and isinstance(value, dict):
            _merge(there, value, file, f"{at}{key}.")
        elif isinstance(there, list) and isinstance(value, list) and key == "from":
            content[key] = there + value
        else:
            raise UsageError(f"mapping {file}: {at}{key} is said in another file too")


def _problem(problem: dict[str, Any], texts: dict[Path, str]) -> str:
    """Return a problem in words, with the line of its key."""
    keys = [str(part) for part in problem["loc"]]
    words = str(problem["msg"]).removeprefix("Value error, ")
    if problem["type"] in _KINDS and re.match(r"^(?:[\w-]+\.)+[\w .-]+: ", words):
        # A check of the whole mapping begins with the keys that it is about.
        said, _, words = words.partition(": ")
        keys += said.split(".")
    if problem["type"] == "extra_forbidden":
        words = "no such key; `thyrisk map schema` has them all"
    place = _place([key for key in keys if key not in ("str", "Cell")], texts)
    return f"  {place}{'.'.join(keys) or 'file'}: {words}"


def _place(keys: list[str], texts: dict[Path, str]) -> str:
    """Return the file and line that says most of a key, as `hospital.toml:12: `."""
    best, place = 0, ""
    for file, text in texts.items():
        for line, said in _lines(text):
            common = 0
            for one, other in zip(keys, said, strict=False):
                if one != other:
                    break
                common += 1
            if common > best and common in (len(said), len(keys)):
                best, place = common, f"{file.name}:{line}: "
    return place


def _lines(text: str) -> list[tuple[int, list[str]]]:
    """Return the lines that begin with a key, with all the keys that they are under."""
    found: list[tuple[int, list[str]]] = []
    table: list[str] = []
    numbers: dict[tuple[str, ...], int] = {}
    for line, words in enumerate(text.splitlines(), 1):
        if header := _HEADER.match(words):
            keys = _split(header.group(2))
            if header.group(1):
                numbers[tuple(keys)] = numbers.get(tuple(keys), -1) + 1
                table = [*_numbered(keys, numbers)]
            else:
                table = _numbered(keys, numbers)
            found.append((line, table))
        elif pair := _PAIR.match(words):
            found.append((line, [*table, *_split(pair.group(1))]))
    return found


def _numbered(keys: list[str], numbers: dict[tuple[str, ...], int]) -> list[str]:
    """Return keys with the number of each repeated table behind it."""
    found: list[str] = []
    for at, key in enumerate(keys, 1):
        found.append(key)
        if (number := numbers.get(tuple(keys[:at]))) is not None:
            found.append(str(number))
    return found


def _split(keys: str) -> list[str]:
    return [key.strip().strip("\"'") for key in re.findall(_KEY, keys)]
