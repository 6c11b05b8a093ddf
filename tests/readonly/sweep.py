"""The checks of the read-only gate, each giving what it found wrong, over any exchanges of the installed ccxt, sync and async.

Under the gate sits a recorder in the place of the network. What a check finds is a line of text; no lines is the proof.
"""

import asyncio
import inspect
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from typing import Any, NoReturn
from urllib.parse import urlsplit

from tests.readonly.synthetic import READS, SYMBOLS, arguments, dress, endpoints, offline, write_methods

from omnifolio.catalog import exchanges, reads
from omnifolio.model.errors import EgressRefused
from omnifolio.venues.exchanges import gate as gates
from omnifolio.venues.exchanges import lazy_ccxt
from omnifolio.venues.exchanges.gate import Endpoint, Gate, Signed, endpoint_of, gated

OTHERS_S = 10
"""So long what a method began may take to end."""
KINDS: tuple[lazy_ccxt.Namespace, ...] = (lazy_ccxt.SYNC, lazy_ccxt.ASYNC)


class Wired(Exception):
    """The request got through the gate; here it would have left."""


class Bench:
    """One gated exchange with a recorder where the network would be."""

    def __init__(self, exchange_id: str, kind: lazy_ccxt.Namespace, *, allowed: Iterable[Endpoint] | None = None) -> None:
        self.sent: list[Signed] = []
        self.refused: list[tuple[str, str]] = []
        self.signed: list[Endpoint] = []
        signed = self.signed
        base: Any = offline(lazy_ccxt.load(exchange_id, kind))

        class Counted(base):  # type: ignore[misc]  # ccxt is untyped
            def sign(self, path: str, api: Any = "public", method: str = "GET", *args: Any) -> Any:
                signed.append(endpoint_of(method, api, path))
                return super().sign(path, api, method, *args)

        counted: Any = Counted
        self.allowed = reads.allowed(exchange_id) if allowed is None else frozenset(allowed)
        self.is_async = kind == lazy_ccxt.ASYNC
        self.gate = Gate(venue=exchange_id, allowed=self.allowed, origins=(), on_refused=self._on_refused)
        self.exchange = dress(
            gated(counted)({"timeout": 500}, gate=self.gate, wire=self.carry_later if self.is_async else self.carry)
        )
        self.gate.origins = frozenset(f"https://{host}" for host in hosts(self.exchange))

    def _on_refused(self, venue: str, door: str, what: str) -> None:
        self.refused.append((door, what))

    def carry(self, signed: Signed) -> NoReturn:
        """The wire of a synchronous exchange object."""
        self.sent.append(signed)
        raise Wired

    async def carry_later(self, signed: Signed) -> Any:
        """The wire of an asynchronous exchange object."""
        self.carry(signed)

    async def attempt(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> str:
        """`refused`, `wired` (it got through), `returned`, or the name of a local error."""
        try:
            result = function(*args, **kwargs)
            if inspect.isawaitable(result):
                await result
        except EgressRefused:
            return "refused"
        except Wired:
            return "wired"
        except Exception as error:
            return type(error).__name__
        return "returned"

    def another_read(self) -> AbstractContextManager[Any]:
        """The live ticket of an allowed read that has signed its own request."""
        return _Held(self)


BenchOf = Callable[[str, lazy_ccxt.Namespace], Bench]


class _Held(AbstractContextManager["_Held"]):
    def __init__(self, bench: Bench) -> None:
        self._ticket = bench.gate.ticket(min(bench.allowed))
        self._signed = Signed(min(bench.allowed)[0], f"{min(bench.gate.origins)}/allowed", {}, None)

    def __enter__(self) -> "_Held":
        self._ticket.__enter__().signed = self._signed
        return self

    def __exit__(self, *exception: Any) -> None:
        self._ticket.__exit__(*exception)


def hosts(exchange: Any) -> set[str]:
    """Every API host of an exchange's own URL table; a few keep some of theirs under `hostnames`."""
    found: set[str] = set()
    left: list[Any] = [exchange.urls.get("api") or {}, exchange.urls.get("hostnames") or {}]
    while left:
        value = left.pop()
        if isinstance(value, str):
            url = exchange.implode_hostname(value)
            found.add(urlsplit(url if "//" in url else f"//{url}").netloc)
        elif isinstance(value, dict):
            left.extend(value.values())
    return found - {""}


async def every_endpoint(
    ids: Iterable[str], kind: lazy_ccxt.Namespace, count: Counter[str], bench_of: BenchOf = Bench
) -> list[str]:
    """Off the list: refused before anything is signed. On the list: never refused."""
    wrong = []
    for exchange_id in ids:
        bench = bench_of(exchange_id, kind)
        for method, api, path in endpoints(bench.exchange):
            key = endpoint_of(method, api, path)
            signed, sent = len(bench.signed), len(bench.sent)
            outcome = await bench.attempt(bench.exchange.request, path, api, method, {})
            is_allowed = key in bench.allowed
            count["endpoints"] += 1
            count["allowed" if is_allowed else "refused"] += 1
            count["allowed, reached the wire"] += is_allowed and len(bench.sent) > sent
            if is_allowed and outcome == "refused":
                wrong.append(f"{exchange_id} {key}: an allowed read was refused: {bench.refused[-1]}")
            if not is_allowed and (outcome != "refused" or (len(bench.signed), len(bench.sent)) != (signed, sent)):
                wrong.append(f"{exchange_id} {key}: {outcome}")
    return wrong


async def every_door(ids: Iterable[str], kind: lazy_ccxt.Namespace, count: Counter[str], bench_of: BenchOf = Bench) -> list[str]:
    """Each endpoint off the list through five doors, without a ticket and under another read's live one: each has its lock."""
    wrong = []
    for exchange_id in ids:
        bench = bench_of(exchange_id, kind)
        exchange, doors = bench.exchange, doors_of(bench.exchange)
        for method, api, path in endpoints(exchange):
            if endpoint_of(method, api, path) in bench.allowed:
                continue
            for name, door in doors.items():
                for is_live in (False, True) if bench.allowed else (False,):
                    signed, sent, refused = len(bench.signed), len(bench.sent), len(bench.refused)
                    with bench.another_read() if is_live else nullcontext():
                        outcome = await bench.attempt(door, path, api, method)
                    count["attempts"] += 1
                    lock = bench.refused[-1][0] if len(bench.refused) > refused else "none"
                    is_held = outcome == "refused" and lock == ("fetch2" if name == "request" else name)
                    if not is_held or (len(bench.signed), len(bench.sent)) != (signed, sent):
                        wrong.append(f"{exchange_id} {method} {path} by {name}, live ticket {is_live}: {outcome}, lock {lock}")
    return wrong


def doors_of(exchange: Any) -> dict[str, Callable[[str, Any, str], Any]]:
    """The five ways in which a request could be made to leave."""
    base = f"https://{min(hosts(exchange))}/"
    return {
        "request": lambda path, api, method: exchange.request(path, api, method, {}),
        "fetch2": lambda path, api, method: exchange.fetch2(path, api, method, {}),
        "sign": lambda path, api, method: exchange.sign(path, api, method, {}),
        "fetch": lambda path, api, method: exchange.fetch(base + path, method, {}, "a=1"),
        "session": lambda path, api, method: getattr(exchange.session, method.lower())(base + path),
    }


async def every_write_method(ids: Iterable[str], kind: lazy_ccxt.Namespace, count: Counter[str]) -> list[str]:
    """Each unified method with a writing name, three symbols: nothing off the list is signed or sent."""
    wrong = []
    for exchange_id in ids:
        bench = Bench(exchange_id, kind)
        for name in write_methods(type(bench.exchange)):
            method = getattr(bench.exchange, name)
            for symbol in SYMBOLS:
                refused = len(bench.refused)
                await bench.attempt(method, **arguments(method, symbol))
                count["calls"] += 1
                count["calls with a refusal"] += len(bench.refused) > refused
        wrong += [f"{exchange_id} {key} was signed" for key in set(bench.signed) - bench.allowed]
    return wrong


async def every_read_method(ids: Iterable[str]) -> tuple[list[str], list[str]]:
    """What ccxt's reads call that nobody has reviewed, and what was reviewed and none of them signs any more.

    After a new version of ccxt, each line wants a person's decision.
    """
    unknown, unreached = [], []
    for exchange_id in ids:
        bench = Bench(exchange_id, lazy_ccxt.ASYNC)
        for name in READS:
            method: Any = getattr(bench.exchange, name, None)
            for symbol in SYMBOLS[:2] if method else ():
                await bench.attempt(method, **arguments(method, symbol))
        # A method that asks for several things at once ends with the first refusal; the others are on their way still.
        others = asyncio.all_tasks() - {asyncio.current_task()}
        if others:
            await asyncio.wait(others, timeout=OTHERS_S)
        unknown += sorted({f"{exchange_id} {what}" for door, what in bench.refused if door == "fetch2"})
        left = bench.allowed - set(bench.signed) - _asked_by_us(exchange_id, bench)
        unreached += sorted(f"{exchange_id} {' '.join(key)}" for key in left)
    return unknown, unreached


def _asked_by_us(name: str, bench: Bench) -> set[Endpoint]:
    """What is asked for a key's rights, which none of ccxt's reads does."""
    probe = exchanges.load(name).permission_probe if name in exchanges.ids() else ""
    if not probe:
        return set()
    # ccxt hides its description behind a plain function on the class itself.
    found: list[Any] = [vars(base).get(probe) for base in type(bench.exchange).__mro__]
    return {endpoint_of(entry.method, entry.api, entry.path) for entry in found if hasattr(entry, "unbound_method")}


def ticket_of_this_task() -> Any:
    """The ticket that the running code inherited, live or not."""
    return gates._ticket.get()
