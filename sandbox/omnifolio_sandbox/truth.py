"""The truth about a user: every balance and transaction of the world model, valued, line by line.

It is read from the world and never from the servers, so that what a client made of the servers' answers can be
compared with it. One dict a line, keys in a fixed order: accounts, then balances by (wallet, product, token), then
transactions by (time, ref). What a venue has forgotten by then is in its balances alone. `counterparty` is the address
that a withdrawal went to; where deposits came from, the world does not say.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from omnifolio_sandbox.amounts import exact, text
from omnifolio_sandbox.valuation import leg_values, shown, usd_of
from omnifolio_sandbox.world.book import FEE, Event
from omnifolio_sandbox.world.tokens import ticker_of, token_id
from omnifolio_sandbox.world.world import STORIES, World

Line = dict[str, Any]


def venues_of(user: str) -> list[str]:
    """Venues at which this user has an account; the simple demo venue has one user only."""
    return [venue for venue in STORIES if venue != "demo" or user == "demo"]


def truth(
    user: str,
    at_ms: int,
    *,
    world: World | None = None,
    venues: Sequence[str] | None = None,
    shown_until_ms: int | None = None,
) -> list[Line]:
    """All lines about a user, valued at `at_ms`; `shown_until_ms` hides what a standing clock has not reached yet."""
    world = world or World()
    until = at_ms if shown_until_ms is None else min(at_ms, shown_until_ms)
    chosen = list(venues) if venues else venues_of(user)
    accounts: list[Line] = []
    balances: list[Line] = []
    transactions: list[Line] = []
    with exact():
        for venue in chosen:
            accounts.append({"kind": "account", "venue": venue, "user": user, "label": f"{venue} of {user}"})
            account = world.account(user, venue)
            for (wallet, product, code), amount in account.balances(until).items():
                balances.append(
                    {
                        "kind": "balance",
                        "wallet": wallet,
                        "asset": ticker_of(venue, code),
                        "asset_id": token_id(venue, code),
                        "product": product,
                        "amount": text(amount),
                        "value": shown(usd_of(venue, code, amount, at_ms), at_ms),
                    }
                )
            transactions.extend(_transactions(venue, account.events(until), until))
    balances.sort(key=lambda line: (line["wallet"], line["product"], line["asset_id"]))
    transactions.sort(key=lambda line: (line["at"], line["ref"]))
    return [*accounts, *balances, *transactions]


def _transactions(venue: str, events: Sequence[Event], at_ms: int) -> Iterator[Line]:
    for happened in events:
        event = STORIES[venue].as_shown(happened, at_ms)
        if event is None or event.type is None:
            continue
        target = (event.facts.get("address") or event.facts.get("info")) if event.type == "withdrawal" else None
        legs = [
            (
                {
                    "wallet": leg.wallet,
                    "asset": ticker_of(venue, leg.code),
                    "asset_id": token_id(venue, leg.code),
                    "amount": text(leg.amount),
                    "role": leg.role,
                    "counterparty": target if leg.role != FEE else None,
                    "value": shown(value, event.at),
                },
                (leg.role == FEE, leg.amount > 0, leg.wallet, token_id(venue, leg.code)),
            )
            for leg, value in zip(event.legs, leg_values(venue, event), strict=True)
        ]
        yield {
            "kind": "transaction",
            "ref": event.ref,
            "event": event.chain,
            "at": event.at,
            "type": event.type,
            "subtype": event.subtype,
            "status": event.status,
            "legs": [leg for leg, _ in sorted(legs, key=lambda pair: pair[1])],
        }
