"""One exchange of ccxt as an object that our bridge can use, and what is changed of ccxt for it.

Numbers stay text (its floats lose digits, its Decimals lose fees), JSON decimals stay text, classes load one by one, markets are
never downloaded, its rate limiter, logging and HTTP session are not used, and every request passes the gate.
"""

import json
import logging
from collections.abc import Awaitable, Callable
from math import ceil
from typing import Any

from omnifolio.catalog.exchanges import ExchangeRow
from omnifolio.model.errors import VenueBadResponse
from omnifolio.venues.exchanges import offline
from omnifolio.venues.exchanges.gate import Gate, Signed, endpoint_of, gated

USER_AGENT = "omnifolio/0.1 (+https://omnifolio.dev)"

_silent = logging.Logger("omnifolio.ccxt", level=logging.CRITICAL + 1)
"""ccxt logs requests with headers and bodies at DEBUG: this logger has no parent and no handler."""


def make(row: ExchangeRow, *, gate: Gate, wire: Callable[[Signed], Awaitable[Any]]) -> Any:
    """The row's exchange behind its gate, without credentials."""
    logging.getLogger("ccxt").setLevel(logging.WARNING)
    exchange = exchange_class(row.ccxt_id)(
        {"options": dict(row.options), "userAgent": USER_AGENT, "logger": _silent}, gate=gate, wire=wire
    )
    exchange.number = str
    exchange.enableLastHttpResponse = exchange.enableLastJsonResponse = exchange.enableLastResponseHeaders = False
    return exchange


_classes: dict[str, type[Any]] = {}


def exchange_class(ccxt_id: str) -> type[Any]:
    """The exchange's async class as it is used here: gated, with our clock, our nonces and exact JSON."""
    if ccxt_id in _classes:
        return _classes[ccxt_id]
    loaded: Any = offline.load(ccxt_id)
    base: Any = gated(loaded)

    class Bridged(base):  # type: ignore[misc]  # ccxt is untyped
        time_ms: Callable[[], int]
        next_nonce_us: Callable[[], int]
        admit: Callable[[int], Awaitable[None]]

        async def fetch2(
            self, path: str, api: Any = "public", method: str = "GET", params: Any = None, config: Any = None
        ) -> Any:
            given = {} if params is None else params
            if endpoint_of(method, api, path) in self.gate.allowed:
                await self.admit(self.weight(api, method, path, given, config or {}))
            return await super().fetch2(path, api, method, given, config or {})

        def weight(self, api: Any, method: str, path: str, params: Any, config: Any) -> int:
            """What the call costs, in milliseconds of the venue's accounting."""
            return ceil(float(self.calculate_rate_limiter_cost(api, method, path, params, config)) * float(self.rateLimit))

        def described(self, name: str) -> Any:
            """What ccxt says of the endpoint with this implicit name, or None."""
            return _implicit(type(self), name)

        def milliseconds(self) -> int:
            return self.time_ms()

        def seconds(self) -> int:
            return self.time_ms() // 1000

        def microseconds(self) -> int:
            return self.time_ms() * 1000

        def incrementing_nonce(self) -> int:
            return self.next_nonce_us()

        def on_json_response(self, body: str) -> Any:
            return exact_json(body, where=ccxt_id)

        async def load_markets(self, reload: bool = False, params: Any = None) -> Any:
            if self.markets is None:
                self.set_markets([])
            return self.markets

    Bridged.__name__ = Bridged.__qualname__ = ccxt_id
    _classes[ccxt_id] = Bridged
    return Bridged


def _implicit(cls: type[Any], name: str) -> Any:
    """ccxt's description of an implicit endpoint (path, api, method, config), or None.

    It is looked up along the bases, since ccxt hides it behind a plain function on the class itself.
    """
    found = (vars(base).get(name) for base in cls.__mro__)
    return next((entry for entry in found if hasattr(entry, "unbound_method")), None)


def exact_json(text: str, *, where: str) -> Any:
    """JSON with every decimal as the text it was. Raises: VenueBadResponse for what is not JSON, NaN and Infinity included."""

    def refuse(constant: str) -> None:
        raise ValueError(f"{constant} is not a number")

    try:
        return json.loads(text, parse_float=str, parse_constant=refuse)
    except RecursionError:
        raise VenueBadResponse(f"{where}: the answer is nested too deeply") from None
    except ValueError:
        raise VenueBadResponse(f"{where}: the answer is not JSON") from None
