"""A model as a file: the TOML that `models.spec.parse` reads back as the same model."""

import json
from datetime import date
from typing import Any

from models.parts import Model


def to_toml(model: Model) -> str:
    """Return the file of a model.

    >>> from models.spec import library, parse
    >>> os = library()["jin2025_os"]
    >>> parse(to_toml(os), "again") == os
    True
    """
    said = model.model_dump(exclude_defaults=True)
    plain = {name: value for name, value in said.items() if not _is_table(value)}
    lines = [f"{name} = {_inline(value)}" for name, value in plain.items()]
    for name, value in said.items():
        if name in plain:
            continue
        one = isinstance(value, dict)
        for table in [value] if one else value:
            lines += ["", f"[{name}]" if one else f"[[{name}]]"]
            lines += [f"{_key(key)} = {_value(item)}" for key, item in table.items()]
    return "\n".join(lines) + "\n"


def _is_table(value: Any) -> bool:
    return isinstance(value, dict) or bool(_is_list(value) and isinstance(value[0], dict))


def _is_list(value: Any) -> bool:
    return isinstance(value, list | tuple) and len(value) > 0


def _value(value: Any) -> str:
    """Return a value; of a list of tables, each on a line of its own."""
    if _is_list(value) and isinstance(value[0], dict):
        return "[\n" + "".join(f"  {_inline(item)},\n" for item in value) + "]"
    return _inline(value)


def _inline(value: Any) -> str:
    if isinstance(value, dict):
        items = (f"{_key(k)} = {_inline(v)}" for k, v in value.items() if v is not None)
        return "{ " + ", ".join(items) + " }"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_inline(item) for item in value) + "]"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, date):
        return value.isoformat()
    # TOML's basic strings and numbers are JSON's.
    return json.dumps(value, ensure_ascii=False)


def _key(name: str) -> str:
    return name if name.replace("_", "").isalnum() and name.isascii() else json.dumps(name)
