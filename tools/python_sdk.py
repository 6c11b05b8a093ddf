"""Writes what of sdk/python follows from the API's description and its table of errors: `python -m tools.python_sdk`.

`models.py` are the objects, `operations.py` the requests as values, `api.py` the same as methods of both clients, `codes.py` the
errors. A name that is not as the description has it, and every field that is an exact number, stands in a table here.
"""

import inspect
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from omnifolio.faces.api import wire
from omnifolio.faces.api.openapi import document, router
from omnifolio.faces.api.problems import by_code
from omnifolio.faces.api.server import ROUTERS
from omnifolio.model.errors import OmnifolioError

PACKAGE = Path(__file__).parents[1] / "sdk" / "python" / "src" / "omnifolio_client"
NAMES: Mapping[str, str] = {"sync": "sync_page"}
"""Operations under another name, because the client has something better under theirs."""
LEFT_OUT = frozenset({"issue_token", "get_kyc_data"})
"""The client asks for tokens by itself; personal data are never found."""
SCHEMAS_LEFT_OUT = frozenset({"TokenIn", "TokenOut", "AccountIn", "AccountChangeIn", "DecisionIn", "ProblemOut"})
"""What bodies are made of are arguments; a problem is an error."""
CLASSES: Mapping[str, str] = {"WarningOut": "LossWarning"}
"""Objects whose own name is taken."""
SECONDS: Mapping[str, float] = {"poll_account": 60.0}
"""Operations that take longer than others."""
EXACT = frozenset({
    "amount", "average_execution_price", "calculated", "confidence", "contracts", "difference", "entry_price", "fiat_price",
    "fiat_value", "filled_price", "filled_quantity", "leverage", "liquidation_price", "lost", "margin", "mark_price",
    "order_price", "order_quantity", "positions_value", "reported", "size", "strike", "unrealised_pnl",
})  # fmt: skip
"""Fields that are decimal numbers, whether the wire writes them as text or as a number."""
_HEAD = '"""{text}\n\nMade by tools/python_sdk.py from the API\'s description.\n"""\n\n'


def files() -> dict[str, str]:
    """Every generated module by its name, formatted."""
    described = document([*ROUTERS, router(ROUTERS)])
    operations = list(_operations(described))
    made = {
        "models.py": _models(described["components"]["schemas"]),
        "operations.py": _requests(operations),
        "api.py": _methods(operations),
        "codes.py": _codes(),
    }
    return {name: _formatted(name, text) for name, text in made.items()}


def _formatted(name: str, text: str) -> str:
    command = [sys.executable, "-m", "ruff", "format", "--quiet", "--stdin-filename", str(PACKAGE / name), "-"]
    return subprocess.run(command, input=text, capture_output=True, text=True, check=True).stdout


def _models(schemas: Mapping[str, Any]) -> str:
    chosen = {name: schema for name, schema in schemas.items() if name not in SCHEMAS_LEFT_OUT}
    parts = [
        _HEAD.format(text="The objects of the wire, immutable. Instants are epoch milliseconds; what is None is unknown."),
        "from __future__ import annotations\n\nfrom decimal import Decimal\nfrom typing import Any\n\nimport msgspec\n",
    ]
    for name, schema in sorted(chosen.items(), key=lambda item: _class(item[0])):
        doc = inspect.getdoc(getattr(wire, name, None)) if hasattr(wire, name) else None
        parts.append(f"\n\nclass {_class(name)}(msgspec.Struct, frozen=True, kw_only=True):\n")
        parts.append(f'    """{doc or "Part of the wire."}"""\n\n'.replace("\n", "\n    ").rstrip(" "))
        for field, kind in schema["properties"].items():
            parts.append(_field(field, kind, is_required=field in schema.get("required", ())))
    return "".join(parts)


def _field(name: str, schema: Mapping[str, Any], *, is_required: bool) -> str:
    kind = _type(schema, name)
    values = _values(schema)
    said = f'    """One of {", ".join(values)}; a newer server may know more."""\n' if len(values) > 1 else ""
    if "default" in schema:
        return f"    {name}: {kind} = {schema['default']!r}\n{said}"
    if is_required and not kind.endswith("| None"):
        return f"    {name}: {kind}\n{said}"
    return f"    {name}: {kind if kind.endswith('| None') else kind + ' | None'} = None\n{said}"


def _values(schema: Mapping[str, Any]) -> list[str]:
    return [str(value) for value in schema.get("enum", ()) if value is not None]


def _type(schema: Mapping[str, Any], name: str = "", *, prefix: str = "") -> str:
    """The Python type of a schema. Enumerations are texts, so that a value of a newer server is no error."""
    if "$ref" in schema:
        return prefix + _class(schema["$ref"].rpartition("/")[2])
    if "oneOf" in schema or "anyOf" in schema:
        options = [_type(option, name, prefix=prefix) for option in schema.get("oneOf") or schema["anyOf"]]
        return " | ".join(dict.fromkeys(sorted(options, key=lambda text: text == "None")))
    kinds = schema.get("type")
    if isinstance(kinds, list):
        return " | ".join(sorted((_plain(kind, schema, name, prefix) for kind in kinds), key=lambda text: text == "None"))
    return "Any" if kinds is None else _plain(kinds, schema, name, prefix)


def _plain(kind: str, schema: Mapping[str, Any], name: str, prefix: str) -> str:
    if kind == "array":
        return f"list[{_type(schema.get('items', {}), name, prefix=prefix)}]"
    if kind == "object":
        inner = schema.get("additionalProperties")
        return f"dict[str, {_type(inner, prefix=prefix) if isinstance(inner, dict) and inner else 'Any'}]"
    if name in EXACT and kind in ("string", "number"):
        return "Decimal"
    if kind == "string" and schema.get("format") == "date":
        return "datetime.date"
    return {"string": "str", "integer": "int", "number": "Decimal", "boolean": "bool", "null": "None"}[kind]


class _Operation:
    """One operation: its name, its arguments as Python writes them, and what its call consists of."""

    def __init__(self, path: str, method: str, spec: Mapping[str, Any], schemas: Mapping[str, Any]) -> None:
        self.path, self.method, self.summary = path, method.upper(), str(spec["summary"])
        self.own = _own_name(path, spec["operationId"])
        self.name = NAMES.get(self.own, self.own)
        self.is_public = not spec["security"]
        parameters = spec.get("parameters", [])
        self.places = [(p["name"], _type(p["schema"])) for p in parameters if p["in"] == "path"]
        self.query = [(p["name"], _argument(p["name"]), _optional(p["schema"])) for p in parameters if p["in"] == "query"]
        self.body, self.whole = _body(spec, schemas)
        status, answer = next((code, found) for code, found in spec["responses"].items() if code.startswith("2"))
        content = answer.get("content", {})
        self.kind = _type(content["application/json"]["schema"], prefix="models.") if "application/json" in content else "str"
        self.kind = "None" if status == "204" else self.kind
        self.told = f"{self.kind} | None" if "304" in spec["responses"] else self.kind

    @property
    def signature(self) -> str:
        """The arguments, without `self`."""
        named = [f"{name}: {kind}" for name, kind, is_needed in self.body if is_needed]
        named += [f"{name}: {kind} = None" for name, kind, is_needed in self.body if not is_needed]
        named += [f"{name}: {kind} = None" for _, name, kind in self.query]
        placed = [f"{name}: {kind}" for name, kind in self.places] + ([f"{self.whole[0]}: {self.whole[1]}"] if self.whole else [])
        return ", ".join([*placed, *(["*", *named] if named else [])])

    @property
    def given(self) -> str:
        """The arguments, handed on."""
        placed = [name for name, _ in self.places] + ([self.whole[0]] if self.whole else [])
        named = [*(name for name, _, _ in self.body), *(name for _, name, _ in self.query)]
        return ", ".join([*placed, *(f"{name}={name}" for name in named)])

    @property
    def call(self) -> str:
        """The value that describes the request."""
        path = f'f"{self.path}"' if self.places else f'"{self.path}"'
        for name, _ in self.places:
            path = path.replace("{" + name + "}", "{quote(" + name + ', safe="")}')
        parts = [f'method="{self.method}"', f"path={path}", f"kind={self.kind}"]
        if self.query:
            parts.append("query={" + ", ".join(f'"{name}": {argument}' for name, argument, _ in self.query) + "}")
        if self.whole:
            parts.append(f"body={self.whole[0]}")
        elif self.body:
            parts.append("body=_given(" + ", ".join(f"{name}={name}" for name, _, _ in self.body) + ")")
        if self.is_public:
            parts.append("needs_token=False")
        if self.own in SECONDS:
            parts.append(f"timeout_s={SECONDS[self.own]}")
        return f"Call({', '.join(parts)})"

    @property
    def doc(self) -> str:
        """What it does."""
        return f'"""{self.summary}."""'


def _operations(described: Mapping[str, Any]) -> Iterator[_Operation]:
    for path, item in described["paths"].items():
        for method, spec in item.items():
            found = _Operation(path, method, spec, described["components"]["schemas"])
            if found.own not in LEFT_OUT:
                yield found


def _own_name(path: str, operation: str) -> str:
    words = "".join(word[:1].upper() + word[1:] for word in re.split(r"[^A-Za-z0-9]+", path))
    return re.sub(r"(?<!^)(?=[A-Z])", "_", operation.removeprefix(words)).lower() or operation


def _argument(name: str) -> str:
    return f"{name}_" if name in ("from",) else name


def _optional(schema: Mapping[str, Any]) -> str:
    kind = _type(schema)
    return kind if kind.endswith("| None") else f"{kind} | None"


def _body(spec: Mapping[str, Any], schemas: Mapping[str, Any]) -> tuple[list[tuple[str, str, bool]], tuple[str, str] | None]:
    """The fields of a body as arguments, or one argument that is the whole body."""
    content = spec.get("requestBody", {}).get("content", {})
    if not content:
        return [], None
    name = content["application/json"]["schema"]["$ref"].rpartition("/")[2]
    if not name.endswith("In"):
        return [], (_snake(_class(name)), f"models.{_class(name)}")
    schema = schemas[name]
    needed = schema.get("required", ())
    found = [
        (field, _type(kind) if field in needed else _optional(kind), field in needed)
        for field, kind in schema["properties"].items()
    ]
    return found, None


def _requests(operations: list[_Operation]) -> str:
    parts = [
        _HEAD.format(
            text="Every operation as a value: what to ask, and the type of the answer. A client's `send` carries it out."
        ),
        "import datetime\nfrom collections.abc import Mapping\nfrom typing import Any\nfrom urllib.parse import quote\n\n",
        "from omnifolio_client import models\nfrom omnifolio_client.calls import Call\n",
    ]
    for one in operations:
        parts.append(f"\n\ndef {one.name}({one.signature}) -> Call[{one.told}]:\n    {one.doc}\n    return {one.call}\n")
    parts.append(
        "\n\ndef _given(**fields: object) -> Mapping[str, Any]:\n"
        "    return {name: value for name, value in fields.items() if value is not None}\n"
    )
    return "".join(parts)


def _methods(operations: list[_Operation]) -> str:
    parts = [
        _HEAD.format(text="Every operation as a method, once for blocking code and once for asyncio."),
        "import datetime\nfrom abc import ABC, abstractmethod\nfrom typing import Any, TypeVar\n\n",
        "from omnifolio_client import models, operations\nfrom omnifolio_client.calls import Call\n\n",
        'T = TypeVar("T")\n',
    ]
    for name, word, wait in (("Api", "", ""), ("AsyncApi", "async ", "await ")):
        parts.append(f'\n\nclass {name}(ABC):\n    """All operations; `run` carries one out."""\n\n    @abstractmethod\n')
        parts.append(f'    {word}def run(self, call: Call[T]) -> T:\n        """Carries out a call."""\n')
        for one in operations:
            arguments = ", ".join(filter(None, ["self", one.signature]))
            parts.append(f"\n    {word}def {one.name}({arguments}) -> {one.told}:\n        {one.doc}\n")
            parts.append(f"        return {wait}self.run(operations.{one.name}({one.given}))\n")
    return "".join(parts)


def _codes() -> str:
    known = by_code()
    kinds = {kind: code for code, kind in known.items()}
    parts = [
        _HEAD.format(text="The server's errors, one class for each code."),
        "from collections.abc import Mapping\n\nfrom omnifolio_client.errors import ApiError\n",
    ]
    for kind, code in kinds.items():  # the more general before what is derived from it
        base = next((parent for parent in kind.__mro__[1:] if parent in kinds and parent is not OmnifolioError), None)
        doc = (kind.__doc__ or "").splitlines()[0]
        parts.append(f"\n\nclass {_error(kind)}({'ApiError' if base is None else _error(base)}):\n")
        parts.append(f'    """{doc} {kind.action}"""\n\n    code = "{code}"\n')
    rows = "".join(f'    "{code}": {_error(kind)},\n' for code, kind in sorted(known.items()))
    parts.append(f"\n\nBY_CODE: Mapping[str, type[ApiError]] = {{\n{rows}}}\n")
    return "".join(parts)


def _error(kind: type) -> str:
    return "ServerError" if kind is OmnifolioError else kind.__name__


def _class(schema: str) -> str:
    return CLASSES.get(schema, schema.removesuffix("Out"))


def _snake(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


if __name__ == "__main__":
    for module, text in files().items():
        (PACKAGE / module).write_text(text, encoding="utf-8")
