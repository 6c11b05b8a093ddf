"""Which connector it is: a short hash over everything that decides how an exchange is read.

That is its row, the module that knows its answers with all that it imports of this room, the signer where we sign, and the
modules that read every exchange. A change of any of them makes another connector, whose proof has to be given anew.
"""

import ast
import hashlib
from collections.abc import Callable, Iterator
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable

import msgspec

from omnifolio.catalog import exchanges
from omnifolio.catalog.exchanges import ExchangeRow

DIGEST_LENGTH = 16
ROOM = "omnifolio.venues.exchanges"
SHARED = ("reader", "paging", "answers", "codes", "rights", "unified", "ccxt_bridge", "verdict")
"""What decides at every exchange which pages are asked for and what becomes of them."""


@cache
def digest(venue: str) -> str:
    """The connector of an exchange. Raises: NotFound for what is none."""
    return digest_of(exchanges.load(venue), source)


def digest_of(row: ExchangeRow, text_of: Callable[[str], bytes]) -> str:
    """The hash of a row and of the modules that read it, whose text `text_of` gives."""
    known = hashlib.sha256(msgspec.json.encode(row, order="deterministic"))
    for name in modules_of(row):
        known.update(name.encode())
        known.update(text_of(name))
    return known.hexdigest()[:DIGEST_LENGTH]


def source(name: str) -> bytes:
    """The text of a module of this room."""
    return _file(name).read_bytes()


def modules_of(row: ExchangeRow) -> list[str]:
    """The modules of this room that read the exchange, by their dotted names after the room's, sorted."""
    begun = [*SHARED, f"quirks.{row.quirks or row.id}"]
    begun += [f"quirks.{row.permission_reader}"] if row.permission_reader else []
    begun += [f"signers.{row.signing}"] if row.signing else []
    found: set[str] = set()
    while begun:
        name = begun.pop()
        # The registries name every exchange's module: what is in them for others decides nothing here.
        if name not in found and not name.endswith("registry"):
            found.add(name)
            begun += _imported(name)
    return sorted(found)


def _imported(name: str) -> Iterator[str]:
    """The modules of this room that one imports."""
    for node in ast.walk(ast.parse(source(name))):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith(ROOM):
            inner = node.module.removeprefix(ROOM).removeprefix(".")
            for alias in node.names:
                both = ".".join(filter(None, (inner, alias.name)))
                yield both if _file(both).is_file() else inner


def _file(name: str) -> Traversable:
    folder = resources.files(ROOM)
    *packages, module = name.split(".")
    return folder.joinpath(*packages, f"{module}.py")
