"""The house: rooms on floors, imports that go down only, and one door for each thing outside.

The checks read the files, so imports inside functions and under TYPE_CHECKING count as well. Every check is proved able to
fail by a planted file.
"""

import ast
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from tests.style.tree import ROOT, Import, Source, Tree, room_of

Check = Callable[[Tree], list[str]]

FLOORS: Mapping[str, int] = {
    "model": 1,
    "catalog": 2, "transport": 2, "store": 2, "meaning": 2,
    "venues": 3, "pricing": 3, "ledger": 3, "tenancy": 3, "vault": 3,
    "sync": 4, "connect": 4, "views": 4, "tax": 4, "testing": 4,
    "exports": 5, "notify": 5,
    "app": 6,
    "faces": 7,
}  # fmt: skip
"""Every room and its floor. A new room is declared here, on the lowest floor that its imports allow."""

DOORS: Mapping[str, tuple[str, ...]] = {
    "aiohttp": ("transport",),
    "httpx": (), "requests": (), "urllib3": (), "urllib.request": (), "http.client": (), "websockets": (),
    "socket": ("transport", "store", "sync", "app", "faces"),
    "ccxt": ("venues.exchanges",),
    "sqlalchemy": ("store", "ledger", "tenancy", "vault", "sync", "connect", "notify", "app"),
    "sqlite3": ("store", "vault"), "asyncpg": ("store",), "alembic": ("store",), "pgqueuer": ("store", "sync"),
    "litestar": ("faces",), "starlette": ("faces",), "uvicorn": ("faces",),
    "omnifolio.vault.open": ("vault", "sync"), "omnifolio.vault.admin": ("vault", "app"),
    "omnifolio.store": ("store", "ledger", "tenancy", "vault", "sync", "connect", "notify", "app"),
    "ccxt.pro": (),
}  # fmt: skip
"""What only these rooms (or folders in them) may import."""

CARRIED = "sqlalchemy.engine.Connection"
"""The open connection that a read model is given and hands on to the ledger is no SQL: any room may name its type."""

EXACT_ROOMS = ("model", "ledger", "meaning", "views", "tax", "exports")
FLOATS_ALLOWED: Mapping[str, str] = {
    "src/omnifolio/model/clock.py": "durations in seconds",
    "src/omnifolio/model/errors.py": "how many seconds to wait",
}
CLOCK = "src/omnifolio/model/clock.py"
SETTINGS = "src/omnifolio/model/settings.py"
OFFLINE_ROOMS = ("views", "tax", "exports")


def rooms_are_declared(tree: Tree) -> list[str]:
    """Every room has a floor."""
    found = {room_of(source.module) for source in tree.product()} - {"", "__main__"}
    return [f"room {room} declares no floor: add it to FLOORS" for room in sorted(found - FLOORS.keys())]


def imports_go_down(tree: Tree) -> list[str]:
    """No import goes up or sideways; the package's root imports nothing of ours."""
    wrong = []
    for source, item in _ours(tree):
        room, target = room_of(source.module), room_of(item.name)
        if target in (room, "") or target not in FLOORS:
            continue
        if source.module == "omnifolio.__main__":
            room = "faces"
        if room == target:
            continue
        if FLOORS.get(room, 0) <= FLOORS[target]:
            wrong.append(f"{_at(source, item)}: {room or 'the package root'} may not import {target}")
    return wrong


def doors_are_kept(tree: Tree) -> list[str]:
    """Each library and each guarded module is imported by its own rooms alone."""
    wrong = []
    for source in tree.product():
        place = source.module.removeprefix("omnifolio.")
        for item in source.imports:
            if item.name == CARRIED:
                continue
            door = max((name for name in DOORS if _is_below(item.name, name)), key=len, default=None)
            if door is not None and not any(_is_below(place, room) for room in DOORS[door]):
                wrong.append(f"{_at(source, item)}: {door} belongs to {', '.join(DOORS[door]) or 'nobody'}")
    return wrong


def imports_are_named(tree: Tree) -> list[str]:
    """No import by a name that the text does not show, but for ccxt's own modules in its bridge."""
    return [
        f"{_at(source, item)}: import_module with a name that cannot be read here"
        for source in tree.product()
        for item in source.imports
        if item.name == "?" and not source.module.startswith("omnifolio.venues.exchanges.lazy_ccxt")
    ]


def packages_are_strangers(tree: Tree) -> list[str]:
    """The product knows nothing of the simulated venues, and they know nothing of the product."""
    wrong = [
        f"{_at(source, item)}: the product may not import the sandbox"
        for source in tree.product()
        for item in source.imports
        if _is_below(item.name, "omnifolio_sandbox")
    ]
    return wrong + [
        f"{_at(source, item)}: the sandbox may not import the product"
        for source in tree.simulation()
        for item in source.imports
        if _is_below(item.name, "omnifolio")
    ]


def reads_stay_offline(tree: Tree) -> list[str]:
    """No read model, law or export reaches the network."""
    return [
        f"{_at(source, item)}: {room_of(source.module)} may not reach the network"
        for source, item in _ours(tree)
        if room_of(source.module) in OFFLINE_ROOMS and room_of(item.name) == "transport"
    ]


def money_is_exact(tree: Tree) -> list[str]:
    """No float, by name or as a literal, where money is handled."""
    wrong = []
    for source in tree.product():
        if room_of(source.module) not in EXACT_ROOMS or source.path.as_posix() in FLOATS_ALLOWED:
            continue
        for node in ast.walk(source.syntax):
            if (isinstance(node, ast.Constant) and isinstance(node.value, float)) or (
                isinstance(node, ast.Name) and node.id == "float"
            ):
                wrong.append(f"{source.path}:{node.lineno}: a float")
    return wrong


def time_has_one_door(tree: Tree) -> list[str]:
    """Only the clock asks the machine for the time."""
    wrong = []
    for source in tree.product():
        if source.path.as_posix() == CLOCK:
            continue
        wrong += [
            f"{_at(source, item)}: {item.name}; take a Clock"
            for item in source.imports
            if item.name.startswith("time.") and item.name != "time.sleep"
        ]
        for node in ast.walk(source.syntax):
            if not isinstance(node, ast.Attribute):
                continue
            owner = ast.unparse(node.value)
            asks_time = owner == "time" and node.attr != "sleep"
            asks_date = owner.split(".")[-1] in ("datetime", "date") and node.attr in ("now", "utcnow", "today")
            if asks_time or asks_date:
                wrong.append(f"{source.path}:{node.lineno}: {owner}.{node.attr}; take a Clock")
    return wrong


def environment_has_one_door(tree: Tree) -> list[str]:
    """Only the settings read the environment."""
    return [
        f"{source.path}:{node.lineno}: os.{node.attr}; take a setting"
        for source in tree.product()
        if source.path.as_posix() != SETTINGS
        for node in ast.walk(source.syntax)
        if isinstance(node, ast.Attribute)
        and node.attr in ("environ", "environb", "getenv", "putenv")
        and ast.unparse(node.value) == "os"
    ] + [
        f"{_at(source, item)}: {item.name}; take a setting"
        for source in tree.product()
        if source.path.as_posix() != SETTINGS
        for item in source.imports
        if item.name in ("os.environ", "os.environb", "os.getenv")
    ]


CHECKS: tuple[Check, ...] = (
    rooms_are_declared, imports_go_down, doors_are_kept, imports_are_named, packages_are_strangers, reads_stay_offline,
    money_is_exact, time_has_one_door, environment_has_one_door,
)  # fmt: skip

PLANTED: tuple[tuple[Check, str, str], ...] = (
    (rooms_are_declared, "src/omnifolio/attic/box.py", ""),
    (imports_go_down, "src/omnifolio/ledger/up.py", "from omnifolio.sync import refresh"),
    (imports_go_down, "src/omnifolio/ledger/sideways.py", "from omnifolio.vault import seal"),
    (imports_go_down, "src/omnifolio/model/local.py", "def f():\n    import omnifolio.store.bulk"),
    (imports_go_down, "src/omnifolio/model/typing_only.py", "if TYPE_CHECKING:\n    from ..store import bulk"),
    (imports_go_down, "src/omnifolio/model/late.py", 'importlib.import_module("omnifolio.store.bulk")'),
    (imports_go_down, "src/omnifolio/__init__.py", "from omnifolio.model import amounts"),
    (doors_are_kept, "src/omnifolio/venues/direct.py", "import aiohttp"),
    (doors_are_kept, "src/omnifolio/venues/evm/direct.py", "from ccxt.async_support import kraken"),
    (doors_are_kept, "src/omnifolio/venues/exchanges/socket.py", "import ccxt.pro"),
    (doors_are_kept, "src/omnifolio/views/sql.py", "import sqlalchemy as sa"),
    (doors_are_kept, "src/omnifolio/app/web.py", "import litestar"),
    (doors_are_kept, "src/omnifolio/faces/opens.py", "from omnifolio.vault import open"),
    (doors_are_kept, "src/omnifolio/sync/turns.py", "from omnifolio.vault.admin import rotate"),
    (doors_are_kept, "src/omnifolio/venues/stores.py", "from omnifolio.store import bulk"),
    (imports_are_named, "src/omnifolio/app/any.py", "importlib.import_module(name)"),
    (packages_are_strangers, "src/omnifolio/app/cheat.py", "import omnifolio_sandbox.truth"),
    (packages_are_strangers, "sandbox/omnifolio_sandbox/cheat.py", "from omnifolio import model"),
    (reads_stay_offline, "src/omnifolio/tax/asks.py", "from omnifolio.transport.egress import Egress"),
    (money_is_exact, "src/omnifolio/views/half.py", "HALF = 0.5"),
    (money_is_exact, "src/omnifolio/tax/round.py", "def f(x):\n    return float(x)"),
    (time_has_one_door, "src/omnifolio/sync/now.py", "import time\nSTARTED = time.time()"),
    (time_has_one_door, "src/omnifolio/sync/today.py", "import datetime\nDAY = datetime.date.today()"),
    (time_has_one_door, "src/omnifolio/sync/count.py", "from time import monotonic"),
    (environment_has_one_door, "src/omnifolio/vault/env.py", "import os\nKEY = os.environ['KEY']"),
    (environment_has_one_door, "src/omnifolio/vault/get.py", "from os import getenv"),
)


@pytest.fixture(scope="module")
def project() -> Tree:
    """This checkout."""
    return Tree(ROOT)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_the_house_holds(project: Tree, check: Check) -> None:
    assert project.product(), "the checks must see the product's files"
    assert check(project) == []


@pytest.mark.parametrize(("check", "path", "text"), PLANTED, ids=[path for _, path, _ in PLANTED])
def test_a_planted_fault_is_found(tmp_path: Path, check: Check, path: str, text: str) -> None:
    file = tmp_path / path
    file.parent.mkdir(parents=True)
    file.write_text(text)
    assert check(Tree(tmp_path)) != []


def test_every_check_has_a_planted_fault() -> None:
    assert {check for check, _, _ in PLANTED} == set(CHECKS)


def _ours(tree: Tree) -> list[tuple[Source, Import]]:
    return [(source, item) for source in tree.product() for item in source.imports if _is_below(item.name, "omnifolio")]


def _is_below(name: str, place: str) -> bool:
    return name == place or name.startswith(place + ".")


def _at(source: Source, item: Import) -> str:
    return f"{source.path}:{item.line}"
