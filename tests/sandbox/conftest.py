"""What the sandbox's tests share: a running sandbox, and ccxt's own clients pointed at it."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import ccxt
import pytest

from omnifolio_sandbox import credentials
from omnifolio_sandbox.clock import Clock
from omnifolio_sandbox.server import running
from omnifolio_sandbox.state import Limits, State
from omnifolio_sandbox.truth import truth
from omnifolio_sandbox.world.world import World

NOW = 1_767_225_600_000  # 2026-01-01T00:00:00Z
GENEROUS = 1_000  # rate limits out of the way, where they are not the subject


@dataclass
class Running:
    """A sandbox in this process."""

    url: str
    state: State

    def truth(self, user: str, *venues: str) -> list[dict[str, Any]]:
        """What really is, by the world that this sandbox serves."""
        return truth(user, self.state.clock.world_ms, world=self.state.world, venues=venues)

    def kraken(self, user: str = "demo", permission: str = "read") -> Any:
        """ccxt's Kraken."""
        key, secret = credentials.kraken(user, permission)
        client = ccxt.kraken({"apiKey": key, "secret": secret, "enableRateLimit": False})
        client.urls["api"] = {"public": f"{self.url}/kraken", "private": f"{self.url}/kraken"}
        client.number = str
        return client

    def binance(self, user: str = "demo", permission: str = "read") -> Any:
        """ccxt's Binance, spot markets only."""
        key, secret = credentials.binance(user, permission)
        options = {"fetchMarkets": {"types": ["spot"]}, "fetchMargins": False, "fetchCurrencies": False}
        client = ccxt.binance({"apiKey": key, "secret": secret, "enableRateLimit": False, "options": options})
        client.urls["api"] = {
            name: url.replace("https://api.binance.com", f"{self.url}/binance") for name, url in client.urls["api"].items()
        }
        client.has["fetchCurrencies"] = False
        client.number = str
        return client

    def bybit(self, user: str = "demo", permission: str = "read") -> Any:
        """ccxt's Bybit."""
        key, secret = credentials.bybit(user, permission)
        client = ccxt.bybit({"apiKey": key, "secret": secret, "enableRateLimit": False})
        client.urls["api"] = dict.fromkeys(client.urls["api"], f"{self.url}/bybit")
        client.has["fetchCurrencies"] = False
        client.options["fetchMarkets"] = {"types": ["spot"]}
        client.options["enableUnifiedMargin"], client.options["enableUnifiedAccount"] = False, True
        client.options["unifiedMarginStatus"] = 5
        client.number = str
        return client

    def okx(self, user: str = "demo", permission: str = "read") -> Any:
        """ccxt's OKX."""
        key, secret, passphrase = credentials.okx(user, permission)
        client = ccxt.okx({"apiKey": key, "secret": secret, "password": passphrase, "enableRateLimit": False})
        client.urls["api"] = {"rest": f"{self.url}/okx"}
        client.has["fetchCurrencies"] = False
        client.options["fetchMarkets"] = {"types": ["spot"]}
        client.number = str
        return client

    def coinbase(self, user: str = "demo", permission: str = "read") -> Any:
        """ccxt's Coinbase."""
        key, secret = credentials.coinbase(user, permission)
        client = ccxt.coinbase({"apiKey": key, "secret": secret, "enableRateLimit": False})
        client.urls["api"] = {"rest": f"{self.url}/coinbase"}
        client.number = str
        return client


@pytest.fixture
def start() -> Iterator[Callable[..., Running]]:
    """Start sandboxes that stop with the test."""
    with ExitStack() as stack:

        def started(*, now: int = NOW, scale: int = GENEROUS, sizes: dict[str, int] | None = None) -> Running:
            state = State(Clock(now_ms=now), World(sizes), Limits(scale))
            return Running(stack.enter_context(running(state)), state)

        yield started


@pytest.fixture
def sandbox(start: Callable[..., Running]) -> Running:
    """One sandbox with generous limits."""
    return start()
