"""Validation by the part of JSON Schema that spec.schema.json and signature.schema.json use.

The schemas stay the one truth for trainers in any language, and this runtime needs no further package for them.
An unknown keyword is an error here: a rule that is written down but not checked would be worse than none.
"""

import difflib
from typing import Any

_TYPES = {
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "string": lambda value: isinstance(value, str),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "number": lambda value: isinstance(value, (int, float)) and not isinstance(value, bool),
    "boolean": lambda value: isinstance(value, bool),
    "null": lambda value: value is None,
}
_ANNOTATIONS = {"$schema", "$id", "title", "description", "format", "default", "examples"}
_RULES = {
    "type", "const", "enum", "required", "properties", "additionalProperties", "items", "minItems", "maxItems", "minimum",
    "maximum", "minLength", "maxLength",
}


def find_errors(value: Any, schema: dict, path: str = "$") -> list[str]:
    """One sentence for each place where `value` breaks `schema`; empty when it is valid."""
    unknown = set(schema) - _RULES - _ANNOTATIONS
    if unknown:
        raise ValueError(f"the schema at {path} uses keywords that are not checked: {sorted(unknown)}")
    types = schema.get("type")
    if types is not None:
        names = types if isinstance(types, list) else [types]
        if not any(_TYPES[name](value) for name in names):
            return [f"{path} must be {' or '.join(names)}"]
    if "const" in schema and value != schema["const"]:
        return [f"{path} must be {schema['const']!r}"]
    if "enum" in schema and value not in schema["enum"]:
        return [f"{path} must be one of {', '.join(map(repr, schema['enum']))}"]
    if isinstance(value, dict):
        return _object_errors(value, schema, path)
    if isinstance(value, list):
        return _array_errors(value, schema, path)
    return _scalar_errors(value, schema, path)


def _object_errors(value: dict, schema: dict, path: str) -> list[str]:
    properties, extra = schema.get("properties", {}), schema.get("additionalProperties", True)
    errors = [f"{path}.{name} is missing" for name in schema.get("required", []) if name not in value]
    for name, item in value.items():
        if name in properties:
            errors += find_errors(item, properties[name], f"{path}.{name}")
        elif extra is False:
            errors.append(f"{path}.{name} is not known{nearest(name, properties)}")
        elif isinstance(extra, dict):
            errors += find_errors(item, extra, f"{path}.{name}")
    return errors


def _array_errors(value: list, schema: dict, path: str) -> list[str]:
    errors = []
    if len(value) < schema.get("minItems", 0):
        errors.append(f"{path} must have at least {schema['minItems']} items")
    if len(value) > schema.get("maxItems", len(value)):
        errors.append(f"{path} must have at most {schema['maxItems']} items")
    for index, item in enumerate(value):
        errors += find_errors(item, schema.get("items", {}), f"{path}[{index}]")
    return errors


def _scalar_errors(value: Any, schema: dict, path: str) -> list[str]:
    if isinstance(value, str):
        if len(value) < schema.get("minLength", 0):
            return [f"{path} must have at least {schema['minLength']} characters"]
        if len(value) > schema.get("maxLength", len(value)):
            return [f"{path} must have at most {schema['maxLength']} characters"]
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        if value < schema.get("minimum", value):
            return [f"{path} must be at least {schema['minimum']}"]
        if value > schema.get("maximum", value):
            return [f"{path} must be at most {schema['maximum']}"]
    return []


def nearest(name: str, known) -> str:
    close = difflib.get_close_matches(name, list(known), n=1)
    return f"; did you mean {close[0]}?" if close else ""
