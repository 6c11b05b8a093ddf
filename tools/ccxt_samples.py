"""The sample answers that ccxt's source carries in its comments, as JSON text with every digit that they have.

Each method of an exchange class may hold samples as JavaScript or Python literals in comment lines: single quotes, bare keys,
`//` remarks, trailing commas and `...` for what was left out. They are read from the installed ccxt (MIT) whenever they are
needed and never copied into this repository.
"""

import ast
import json
import re
from collections.abc import Iterator

from msgspec import Struct

from omnifolio.venues.exchanges import lazy_ccxt

_TOKEN = re.compile(
    r"""(?P<skip>\s+|//[^\n]*|\#[^\n]*|\.\.\.|…)|(?P<text>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')"""
    r"""|(?P<number>[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?(?![\w.]))|(?P<word>[A-Za-z_$][\w$-]*)|(?P<sign>[{}\[\]:,])"""
)
_KEY_END = re.compile(r"\s*:")
_WORDS = {"null": "null", "None": "null", "undefined": "null", "true": "true", "True": "true", "false": "false", "False": "false"}


class Sample(Struct, frozen=True):
    """One sample: the method that carries it, its place there, what the lines before it say, and its JSON; "" if unreadable."""

    method: str
    number: int
    label: str
    text: str


def samples(ccxt_id: str, methods: frozenset[str]) -> Iterator[Sample]:
    """The samples in the named methods of an exchange's class, in the order of the source."""
    source = (lazy_ccxt.root() / "async_support" / f"{ccxt_id}.py").read_text(encoding="utf-8")
    lines = source.split("\n")
    body = next(node for node in ast.parse(source).body if isinstance(node, ast.ClassDef)).body
    for node in body:
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) or node.name not in methods:
            continue
        number = 0
        for run in _comments(lines[node.lineno - 1 : node.end_lineno]):
            for label, literal in _literals(run):
                number += 1
                yield Sample(node.name, number, label, to_json(literal))


def _comments(lines: list[str]) -> Iterator[str]:
    run: list[str] = []
    for line in [*lines, ""]:
        found = re.match(r"\s*#(.*)$", line)
        if found:
            run.append(found.group(1))
        elif run:
            yield "\n".join(run)
            run = []


def _literals(run: str) -> Iterator[tuple[str, str]]:
    """Each bracketed literal that begins a line, with the words of the four lines before it."""
    after = 0
    for found in re.finditer(r"^[ \t]*([\[{])", run, flags=re.MULTILINE):
        if found.start() < after:
            continue
        end = _end_of(run, found.start(1))
        if end < 0:
            continue
        after = end
        before = [line.strip() for line in run[: found.start()].split("\n")[-4:]]
        label = " ".join(line for line in before if line and not re.search(r'[{}\[\]":]', line))[:120]
        yield label, run[found.start(1) : end]


def _end_of(text: str, start: int) -> int:
    """The place after the bracket that closes the one at `start`, or -1."""
    depth, place = 0, start
    while place < len(text):
        found = _TOKEN.match(text, place)
        place = found.end() if found else place + 1
        sign = found.group("sign") if found else None
        depth += (sign in ("{", "[")) - (sign in ("}", "]")) if sign else 0
        if depth == 0:
            return place
    return -1


def to_json(literal: str) -> str:
    """A literal as JSON text, its numbers digit for digit; "" for what is none."""
    tokens: list[str] = []
    place = 0
    while place < len(literal):
        found = _TOKEN.match(literal, place)
        if found is None:
            return ""
        place = found.end()
        kind, text = str(found.lastgroup), found.group()
        if kind == "skip":
            continue
        if text in ("}", "]") and tokens and tokens[-1] == ",":
            tokens.pop()
        if text == "," and tokens[-1:] in ([","], ["{"], ["["]):
            continue
        tokens.append(_spelled(kind, text, is_key=_KEY_END.match(literal, place) is not None))
    written = "".join(tokens)
    try:
        value = json.loads(written)
    except ValueError:
        return ""
    return written if value else ""


def _spelled(kind: str, text: str, *, is_key: bool) -> str:
    """One token as JSON spells it; numbers and words in a key's place are quoted."""
    if kind == "text":
        inner = text[1:-1].replace("\\'", "'")
        return json.dumps(json.loads(f'"{inner}"')) if text[0] == '"' else json.dumps(inner)
    if kind == "number":
        if is_key:
            return json.dumps(text)
        plain = text.removeprefix("+")
        plain = f"0{plain}" if plain.startswith(".") else plain.replace("-.", "-0.")
        whole, dot, rest = plain.partition(".")
        return f"{whole}.0{rest}" if dot and not rest[:1].isdigit() else plain
    if kind == "word":
        return json.dumps(text) if is_key else _WORDS.get(text, json.dumps(text))
    return text
