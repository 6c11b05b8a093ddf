"""How to load one ccxt exchange class without executing ccxt's package `__init__` files, which import every exchange.

`import ccxt.async_support` costs about 109 MB and a second of CPU; one class through these stub packages costs 57 MB and
0.4 s. The stubs stand for `ccxt` and `ccxt.async_support` and resolve their attributes on first use. `ccxt.pro` is left out on
purpose: its sockets can send orders past any gate over HTTP.
"""

import ast
import importlib
import importlib.util
import sys
import types
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

Namespace = Literal["ccxt", "ccxt.async_support"]
ASYNC: Namespace = "ccxt.async_support"
SYNC: Namespace = "ccxt"


@lru_cache(maxsize=1)
def root() -> Path:
    """The folder of the installed ccxt. Raises: ModuleNotFoundError."""
    spec = importlib.util.find_spec("ccxt")
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError("ccxt is not installed")
    return Path(next(iter(spec.submodule_search_locations)))


@lru_cache(maxsize=1)
def exchange_ids() -> tuple[str, ...]:
    """The ids that ccxt publishes, read from its source without importing it."""
    tree = ast.parse((root() / "async_support" / "__init__.py").read_text(encoding="utf-8"))
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id == "exchanges":
            return tuple(ast.literal_eval(node.value))
    raise LookupError("ccxt.async_support lists no exchanges")


class _Package(types.ModuleType):
    """A stub package in which an exchange's name always means its class.

    The import system binds each imported submodule on its parent; the class of that name must win, since subclasses
    (bequant of hitbtc) look their parent up there.
    """

    def __init__(self, name: str, folder: Path) -> None:
        super().__init__(name)
        self.__path__ = [str(folder)]
        self.__package__ = name

    def __setattr__(self, name: str, value: object) -> None:
        if isinstance(value, types.ModuleType) and isinstance(vars(value).get(name), type):
            value = vars(value)[name]
        super().__setattr__(name, value)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        errors = importlib.import_module("ccxt.base.errors")
        if name == "Exchange":
            home = "ccxt.base.exchange" if self.__name__ == SYNC else "ccxt.async_support.base.exchange"
            value = importlib.import_module(home).Exchange
        elif hasattr(errors, name):
            value = getattr(errors, name)
        elif Path(self.__path__[0], f"{name}.py").is_file():
            value = getattr(importlib.import_module(f"{self.__name__}.{name}"), name)
        else:
            raise AttributeError(f"{self.__name__}.{name}")
        setattr(self, name, value)
        return value


def install() -> None:
    """Puts the stub packages into `sys.modules`; a second call does nothing. Raises: RuntimeError when ccxt came in before."""
    present = sys.modules.get(SYNC)
    if isinstance(present, _Package):
        return
    if present is not None:
        raise RuntimeError("ccxt was imported before its lazy stub: load exchanges through lazy_ccxt only")
    folder = root()
    sys.modules[SYNC] = _Package(SYNC, folder)
    sys.modules[ASYNC] = _Package(ASYNC, folder / "async_support")
    sys.modules[SYNC].async_support = sys.modules[ASYNC]  # type: ignore[attr-defined]  # a stub package takes any attribute


def load(exchange_id: str, namespace: Namespace = ASYNC) -> type[Any]:
    """The exchange class of that id. Raises: ModuleNotFoundError for an id that this ccxt does not have."""
    install()
    found: type[Any] = getattr(importlib.import_module(f"{namespace}.{exchange_id}"), exchange_id)
    return found


def errors() -> Any:
    """The module of ccxt's error classes."""
    install()
    return importlib.import_module("ccxt.base.errors")
