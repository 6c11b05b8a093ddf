"""A ccxt exchange object that answers out of what was recorded: no network, no event loop, no credentials, no clock of its own.

ccxt's unified methods ask and parse in one; so that decoding stays pure, such a method is run again over the answers that it
received, in their order. What it asks for beyond them is an error, never a guess.
"""

import sys
from collections.abc import Callable, Coroutine, Iterator, Mapping
from functools import cache
from types import SimpleNamespace
from typing import Any

from omnifolio.model.errors import VenueBadResponse
from omnifolio.venues.exchanges import lazy_ccxt

CREDENTIALS = ("apiKey", "secret", "uid", "login", "password", "accountId", "walletAddress", "privateKey", "token")
NO_CREDENTIAL = "x1"
"""Stands where ccxt wants to see a credential before it asks; nothing is signed with it."""


async def _one_by_one(*coroutines: Coroutine[Any, Any, Any]) -> list[Any]:
    left = list(coroutines)
    try:
        return [await left.pop(0) for _ in coroutines]
    finally:
        for coroutine in left:
            coroutine.close()


def load(ccxt_id: str) -> type[Any]:
    """ccxt's class, whose methods ask one thing after another where they would ask at once: the order of answers is theirs."""
    loaded = lazy_ccxt.load(ccxt_id)
    for base in loaded.__mro__:
        module = sys.modules[base.__module__]
        if base.__module__ == f"{lazy_ccxt.ASYNC}.{base.__name__}" and hasattr(module, "asyncio"):
            module.asyncio = SimpleNamespace(gather=_one_by_one)  # type: ignore[attr-defined]  # ccxt is untyped
    return loaded


@cache
def offline(ccxt_id: str) -> type[Any]:
    """The class of exchange objects that read from `answers` what they would fetch."""
    base: Any = load(ccxt_id)

    class Offline(base):  # type: ignore[misc]  # ccxt is untyped
        answers: Iterator[Any] = iter(())
        now_ms = 0

        def sign(self, path: str, api: Any = "public", method: str = "GET", *args: Any) -> Any:
            return {"url": f"{method} {path}", "method": method, "headers": None, "body": None}

        async def fetch(self, url: Any, *args: Any) -> Any:
            try:
                return next(self.answers)
            except StopIteration:
                raise VenueBadResponse(f"{ccxt_id}: no answer was recorded for {url}") from None

        def check_required_credentials(self, *args: Any) -> bool:
            return True

        async def load_markets(self, *args: Any) -> Any:
            if self.markets is None:
                self.set_markets([])
            return self.markets

        async def sleep(self, *args: Any) -> None:
            """Nothing is waited for."""

        def milliseconds(self) -> int:
            return self.now_ms

    Offline.__name__ = Offline.__qualname__ = ccxt_id
    return Offline


def exchange(ccxt_id: str, options: Mapping[str, Any], *, now_ms: int, answers: Iterator[Any]) -> Any:
    """An exchange object that reads from `answers`; numbers are text."""
    found = offline(ccxt_id)({"enableRateLimit": False, "options": dict(options)})
    found.number = str
    found.now_ms, found.answers = now_ms, answers
    for name in CREDENTIALS:
        setattr(found, name, NO_CREDENTIAL)
    return found


def result(call: Callable[..., Coroutine[Any, Any, Any]], *args: Any) -> Any:
    """What an asynchronous method gives that has nothing to wait for. Raises: as it does; VenueBadResponse where it waits."""
    running = call(*args)
    try:
        running.send(None)
    except StopIteration as done:
        return done.value
    running.close()
    raise VenueBadResponse("it waits for something that was not recorded")
