"""The mapping file as a JSON Schema, for editors and for whoever writes one by a program."""

from typing import Any

from schemas.registry import TABLES
from transforms.reading.mapping import Mapping

ID = "https://json-schema.org/draft/2020-12/schema"
_TEXT: dict[str, Any] = {"type": "string"}
_OR_TEXT = ("Cell", "Source", "Statement")
"""What a text alone stands for."""


def json_schema() -> dict[str, Any]:
    """Return the schema: every key with its meaning, every table with its columns."""
    schema = Mapping.model_json_schema()
    for name, described in schema["$defs"].items():
        if name in ("Source", "From"):
            for key in ("files", "where", "leave_out"):
                if key in described["properties"]:
                    _allow_text(described["properties"], key)
    schema = _with_texts(schema)
    tables = schema["properties"]["tables"]
    tables["properties"] = {name: _of_table(name) for name in TABLES}
    tables["additionalProperties"] = False
    schema["properties"]["coverage"] = {
        "description": schema["properties"]["coverage"].get("description", ""),
        "type": "object",
        "additionalProperties": _or_text({"$ref": "#/$defs/Statement"}),
    }
    return {"$schema": ID, **schema, "title": "The mapping file of thyrisk"}


def _of_table(name: str) -> dict[str, Any]:
    """Return the schema of a table: its columns are those of the contract."""
    columns = {"propertyNames": {"enum": list(TABLES[name].columns)}}
    parts = dict.fromkeys(("columns", "units", "codes"), columns)
    rules = {"items": {"properties": {"columns": columns}}}
    return {
        "description": (TABLES[name].model.__doc__ or "").splitlines()[0],
        "allOf": [{"$ref": "#/$defs/TableMapping"}, {"properties": {**parts, "from": rules}}],
    }


def _allow_text(properties: dict[str, Any], key: str) -> None:
    kept = {
        name: properties[key].pop(name)
        for name in ("description", "default", "title")
        if name in properties[key]
    }
    properties[key] = {**kept, "anyOf": [_TEXT, properties[key]]}


def _with_texts(schema: Any) -> Any:
    """Return a schema in which a text may stand for what it abbreviates."""
    if isinstance(schema, list):
        return [_with_texts(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    refers = str(schema.get("$ref", "")).rpartition("/")[2]
    if refers in _OR_TEXT:
        return _or_text(schema)
    return {name: _with_texts(one) for name, one in schema.items()}


def _or_text(schema: dict[str, Any]) -> dict[str, Any]:
    return {"anyOf": [_TEXT, schema]}
