"""The class of a ccxt exchange as it is used here: gated, on our clock, with our nonces and every decimal as text."""

import json
from collections.abc import Awaitable, Callable
from math import ceil
from typing import Any

from omnifolio.model.errors import VenueBadResponse
from omnifolio.venues.exchanges import lazy_ccxt
from omnifolio.venues.exchanges.gate import endpoint_of, gated

_classes: dict[str, type[Any]] = {}


def exchange_class(ccxt_id: str) -> type[Any]:
    """The exchange's async class, made once."""
    if ccxt_id in _classes:
        return _classes[ccxt_id]
    loaded: Any = lazy_ccxt.load(ccxt_id)
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


def implicit(cls: type[Any], name: str) -> Any:
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
