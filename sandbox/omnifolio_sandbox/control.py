"""The sandbox's own controls below `/_sandbox`: clock, truth, scripted events, call log, violations, faults, limits."""

from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Any

import msgspec

from omnifolio_sandbox import credentials
from omnifolio_sandbox.amounts import exact
from omnifolio_sandbox.http import Request, Response, answer
from omnifolio_sandbox.sockets import keys as streamed
from omnifolio_sandbox.sockets.control import act
from omnifolio_sandbox.sockets.registry import Talks
from omnifolio_sandbox.state import State
from omnifolio_sandbox.truth import truth
from omnifolio_sandbox.world import scripted
from omnifolio_sandbox.world.book import Leg
from omnifolio_sandbox.world.dice import digest
from omnifolio_sandbox.world.purchase import elsewhere, purchase
from omnifolio_sandbox.world.tokens import TICKERS, code_of

LINE = msgspec.json.Encoder()
SCRIPTED_PLACES_MAX = 8


class ControlServer:
    """Paths below `/_sandbox`; errors are HTTP 400 with a sentence."""

    name = "_sandbox"

    def __init__(self, state: State) -> None:
        self.state = state
        self.talks = Talks(state)
        self.routes: dict[tuple[str, str], Callable[[Request], Any]] = {
            ("GET", "/clock"): self.clock,
            ("POST", "/clock"): self.set_clock,
            ("GET", "/truth"): self.truth,
            ("GET", "/violations"): lambda _: {"violations": self.state.violations},
            ("DELETE", "/violations"): self.clear_violations,
            ("GET", "/calls"): self.calls,
            ("DELETE", "/calls"): self.clear_calls,
            ("POST", "/events"): self.script_event,
            ("POST", "/purchases"): self.script_purchase,
            ("POST", "/keys"): self.make_keys,
            ("GET", "/sockets"): self.sockets,
            ("POST", "/sockets"): self.act_on_sockets,
            ("POST", "/limits"): self.reset_limits,
            ("GET", "/faults"): self.faults,
            ("POST", "/faults"): self.add_faults,
            ("DELETE", "/faults"): self.clear_faults,
        }

    def handle(self, request: Request) -> Response:
        """Answer one call."""
        route = self.routes.get((request.method, request.path))
        if route is None:
            known = sorted(f"{method} /_sandbox{path}" for method, path in self.routes)
            return answer({"error": f"no control {request.method} /_sandbox{request.path}", "controls": known}, 404)
        try:
            found = route(request)
        except (ValueError, KeyError, TypeError, msgspec.MsgspecError) as fault:
            return answer({"error": f"{type(fault).__name__}: {fault}"}, 400)
        return found if isinstance(found, Response) else answer(found)

    def clock(self, _: Request) -> Any:
        """Both times."""
        clock = self.state.clock
        return {"at": clock.world_ms, "wire": clock.wire, "wire_at": self.state.server_ms()}

    def set_clock(self, request: Request) -> Any:
        """Move the world's time: `{"at": ms}`, `{"advance_ms": n}`; `{"wire": "world"|"real"}` chooses the wire's."""
        asked = msgspec.json.decode(request.body or b"{}", type=dict[str, Any])
        unknown = asked.keys() - {"at", "advance_ms", "wire"}
        if unknown or not asked:
            raise ValueError('give "at" (epoch ms), "advance_ms" or "wire"')
        if "at" in asked:
            self.state.clock.move_to(int(asked["at"]))
        if "advance_ms" in asked:
            self.state.clock.advance(int(asked["advance_ms"]))
        if "wire" in asked:
            if asked["wire"] not in {"real", "world"}:
                raise ValueError('"wire" is "real" or "world"')
            self.state.clock.wire = asked["wire"]
        return self.clock(request)

    def truth(self, request: Request) -> Response:
        """The truth as this server knows it: scripted events and sizes included, nothing after its clock."""
        now = self.state.clock.world_ms
        user = credentials.check_user(request.query["user"])
        at_ms = int(request.query.get("at", now))
        venues = [venue for venue in request.query.get("venue", "").split(",") if venue]
        lines = truth(user, at_ms, world=self.state.world, venues=venues, shown_until_ms=now)
        return Response(200, b"".join(LINE.encode(line) + b"\n" for line in lines), {}, "application/x-ndjson")

    def clear_violations(self, _: Request) -> Any:
        """Forget all violations."""
        self.state.violations.clear()
        return {"violations": []}

    def calls(self, _: Request) -> Any:
        """The call log, with counts and weights by venue and path."""
        counts: dict[str, dict[str, int]] = {}
        for call in self.state.calls:
            line = counts.setdefault(f"{call['venue']} {call['method']} {call['path']}", {"calls": 0, "weight": 0})
            line["calls"] += 1
            line["weight"] += call["weight"]
        return {"total": len(self.state.calls), "counts": counts, "calls": self.state.calls}

    def clear_calls(self, request: Request) -> Any:
        """Empty the call log."""
        self.state.calls.clear()
        return self.calls(request)

    def reset_limits(self, _: Request) -> Any:
        """Forget what was spent, and every ban."""
        limits = self.state.limits
        for limit in (
            limits.kraken,
            limits.binance_api,
            limits.binance_sapi_ip,
            limits.binance_sapi_uid,
            limits.coinbase,
            limits.bybit,
            limits.bybit_address,
            limits.okx,
            limits.okx_bills,
        ):
            limit.clear()
        return {"scale": limits.scale}

    def faults(self, _: Request) -> Any:
        """The script, with how many calls each fault matched so far."""
        return {"faults": self.state.faults.script}

    def add_faults(self, request: Request) -> Any:
        """Add a fault or a list of them (see `faults.py`)."""
        self.state.faults.add(request.body)
        return self.faults(request)

    def clear_faults(self, request: Request) -> Any:
        """End all faults."""
        self.state.faults.script.clear()
        return self.faults(request)

    def script_event(self, request: Request) -> Any:
        """A deposit or withdrawal from outside the story: `{"user","venue","ticker","amount","at","visible_at"}`."""
        asked = msgspec.json.decode(request.body or b"{}", type=dict[str, Any])
        user, venue = credentials.check_user(asked["user"]), asked["venue"]
        if venue not in TICKERS:
            raise ValueError(f"venue {venue!r} is not one of {', '.join(TICKERS)}")
        at_ms = int(asked["at"])
        visible_at = max(at_ms, int(asked.get("visible_at", at_ms)))
        account = self.state.world.account(user, venue)
        code, place = code_of(venue, asked["ticker"]), scripted.PLACES.get(venue, ("spot", "spot"))
        held = account.balances(max(visible_at, self.state.clock.world_ms)).get((*place, code), Decimal(0))
        event = scripted.movement(
            venue,
            digest("scripted", venue, user, account.version).hex(),
            Leg(*place, code, _amount(asked["amount"], held=held)),
            ticker=asked["ticker"],
            at_ms=at_ms,
            visible_at=visible_at,
        )
        account.script(event)
        return {"ref": event.ref, "event": event.chain, "told": self.talks.tell(venue, user, event)}

    def script_purchase(self, request: Request) -> Any:
        """A purchase, now unless `at` says otherwise: `{"user","venue","base","quote","amount","at","visible_at"}`.

        Whoever listens is told at once, also of one that is visible later: a venue's answers may be behind its events.
        """
        asked = msgspec.json.decode(request.body or b"{}", type=dict[str, Any])
        user, venue = credentials.check_user(asked["user"]), asked["venue"]
        at_ms = int(asked.get("at", self.state.clock.world_ms))
        visible_at = max(at_ms, int(asked.get("visible_at", at_ms)))
        if venue in streamed.VENUES:
            # Nothing but sockets is spoken here, so there are no books to write it into.
            event = elsewhere(digest("purchase", venue, user, asked["amount"], at_ms).hex(), asked, at_ms=at_ms)
            return {"ref": event.ref, "at": event.at, "told": self.talks.tell(venue, user, event)}
        account = self.state.world.account(user, venue)
        with exact():
            event = purchase(
                account,
                digest("purchase", venue, user, account.version).hex(),
                base=asked["base"],
                quote=asked["quote"],
                amount=_amount(asked["amount"], held=Decimal(0)),
                at_ms=at_ms,
                visible_at=visible_at,
            )
        account.script(event)
        return {"ref": event.ref, "at": event.at, "told": self.talks.tell(venue, user, event)}

    def make_keys(self, request: Request) -> Any:
        """Credentials for a venue that is spoken over sockets only: `{"venue","user"}`."""
        asked = msgspec.json.decode(request.body or b"{}", type=dict[str, str])
        return self.state.keys.make(asked["venue"], credentials.check_user(asked["user"]))

    def sockets(self, _: Request) -> Any:
        """Every open socket, how many were opened so far, and the tokens that were given out to open them."""
        exchange = self.state.exchange
        return {"sockets": exchange.shown(), "opened": exchange.opened, "tokens": list(self.state.tokens)}

    def act_on_sockets(self, request: Request) -> Any:
        """Cut, end or use open sockets (see `sockets/control.py`)."""
        return {"hit": act(self.state, msgspec.json.decode(request.body or b"{}", type=dict[str, Any]))}


def _amount(given: Any, *, held: Decimal) -> Decimal:
    """A scripted amount: what goes out must be there, and may have all the decimals that it has there."""
    try:
        amount = Decimal(str(given))
    except InvalidOperation as fault:
        raise ValueError(f"amount {given!r} is not a decimal number") from fault
    exponent = amount.as_tuple().exponent
    if not isinstance(exponent, int) or not amount or (amount > 0 and -exponent > SCRIPTED_PLACES_MAX):
        raise ValueError(f"amount {given!r} must not be zero, and a deposit has up to {SCRIPTED_PLACES_MAX} decimals")
    if held + amount < 0:
        raise ValueError(f"amount {given!r} is more than the account holds then: {held}")
    return amount
