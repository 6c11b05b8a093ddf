"""Writes sdk/typescript/src/models.ts from the API's own description: `python -m tools.typescript_models`."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from omnifolio.faces.api.openapi import document, router
from omnifolio.faces.api.server import ROUTERS
from omnifolio.model.errors import by_code

FILE = Path(__file__).parents[1] / "sdk" / "typescript" / "src" / "models.ts"
RENAMED = {"Document": "DecisionsDocument", "ProblemOut": "ProblemBody"}
"""Schemas whose own name says too little, or something else, in a program of somebody else."""
HEAD = """// What goes over the wire, made from the server's own description by tools/typescript_models.py. Not written by hand.
"""

Schema = Mapping[str, Any]


def models() -> str:
    """The whole file."""
    found = document([*ROUTERS, router(ROUTERS)])
    schemas: Mapping[str, Schema] = found["components"]["schemas"]
    sent = _sent(found)
    parts = [HEAD, _codes()]
    parts += [_interface(name, schemas[name], is_sent=name in sent) for name in sorted(schemas, key=_named)]
    parts.append(_operations(found["paths"]))
    return "\n".join(parts)


def _codes() -> str:
    lines = "\n".join(f"  | {json.dumps(code)}" for code in sorted(by_code()))
    return f"/** Every `code` of an error. */\nexport type ErrorCode =\n{lines};\n"


def _sent(found: Mapping[str, Any]) -> frozenset[str]:
    """The schemas that clients send; in them a field with a default may be left out."""
    schemas: Mapping[str, Schema] = found["components"]["schemas"]
    waiting = [
        name
        for item in found["paths"].values()
        for operation in item.values()
        for name in _references(operation.get("requestBody", {}))
    ]
    reached: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name not in reached:
            reached.add(name)
            waiting += _references(schemas[name])
    return frozenset(reached)


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        if "$ref" in value:
            yield value["$ref"].rpartition("/")[2]
        for item in value.values():
            yield from _references(item)
    elif isinstance(value, list):
        for item in value:
            yield from _references(item)


def _named(schema: str) -> str:
    return RENAMED.get(schema, schema.removesuffix("Out"))


def _interface(name: str, schema: Schema, *, is_sent: bool) -> str:
    required = set(schema.get("required", ()))
    lines = []
    for field, kind in schema.get("properties", {}).items():
        is_there = field in required or (not is_sent and "default" in kind)
        lines.append(f"  {field}: {_type(kind)};" if is_there else f"  {field}?: {_type(kind)} | undefined;")
    return "\n".join([f"export interface {_named(name)} {{", *lines, "}", ""])


def _type(schema: Schema) -> str:
    if "$ref" in schema:
        return _named(schema["$ref"].rpartition("/")[2])
    if "oneOf" in schema:
        return " | ".join(dict.fromkeys(_type(option) for option in schema["oneOf"]))
    if "const" in schema:
        return json.dumps(schema["const"])
    if "enum" in schema:
        return " | ".join(json.dumps(value) for value in schema["enum"])
    kind = schema.get("type")
    if kind == "array":
        item = _type(schema["items"])
        return f"({item})[]" if " " in item else f"{item}[]"
    if kind == "object" and "additionalProperties" in schema:
        return f"Record<string, {_type(schema['additionalProperties'])}>"
    return {"string": "string", "integer": "number", "number": "number", "boolean": "boolean", "null": "null"}.get(
        str(kind), "unknown"
    )


def _operations(paths: Mapping[str, Mapping[str, Any]]) -> str:
    lines = ["/** Every operation: what may be asked in the address, what is sent, and what is answered. */"]
    lines.append("export interface Operations {")
    for path, item in paths.items():
        for method, operation in item.items():
            lines.append(f"  {json.dumps(f'{method.upper()} {path}')}: {{")
            lines += [f"    {line}" for line in _operation(operation)]
            lines.append("  };")
    return "\n".join([*lines, "}", ""])


def _operation(operation: Mapping[str, Any]) -> Iterator[str]:
    asked = [row for row in operation.get("parameters", ()) if row["in"] == "query"]
    if asked:
        yield "query: {"
        for row in asked:
            yield f"  /** {row['schema']['description']} */"
            yield f"  {row['name']}?: {_without_null(_type(row['schema']))} | undefined;"
        yield "};"
    else:
        yield "query: Record<string, never>;"
    body = operation.get("requestBody")
    yield f"body: {_type(body['content']['application/json']['schema']) if body else 'undefined'};"
    yield f"answer: {_answer(operation['responses'])};"


def _without_null(text: str) -> str:
    return " | ".join(part for part in text.split(" | ") if part != "null")


def _answer(responses: Mapping[str, Any]) -> str:
    kinds = []
    for status, response in responses.items():
        if status.startswith("2"):
            content = response.get("content") or {}
            kinds += [_type(shown["schema"]) for shown in content.values()] or ["undefined"]
        elif status == "304":
            kinds.append("undefined")
    return " | ".join(dict.fromkeys(kinds))


if __name__ == "__main__":
    FILE.write_text(models(), encoding="utf-8")
