"""What a person states to own, of any kind: a house, a share, cash. The statement itself is the evidence."""

import json
from collections.abc import AsyncIterator, Sequence
from decimal import Decimal
from typing import Literal
from urllib.parse import quote

import msgspec
from msgspec import Struct

from omnifolio.model.accounts import Certificate
from omnifolio.model.amounts import canonical, parse_amount
from omnifolio.model.clock import EpochMs
from omnifolio.model.errors import InvalidField, VenueBadResponse
from omnifolio.model.facts import Balance, Batch, Cursor, Evidence, Snapshot, Wallet
from omnifolio.model.tokens import TokenFacts, TokenId, venue_token
from omnifolio.venues.contract import Access, Stream, received_at

VENUE = "manual"
STREAM = "balances/manual"
WALLET = "holdings"
NAME_LENGTH_MAX = 40

AssetClass = Literal["real-estate", "stock", "fund", "cash", "other"]
_CURRENCY_LENGTH = 3


class Holding(Struct, frozen=True, forbid_unknown_fields=True):
    """One thing that is owned. Cash is named by the ISO 4217 code of its currency; zero is owned no more."""

    asset: str
    kind: AssetClass
    amount: str


class _Statement(Struct, frozen=True, forbid_unknown_fields=True):
    holdings: tuple[Holding, ...]


_read = msgspec.json.Decoder(_Statement).decode


def token_of(asset: str, kind: AssetClass) -> TokenFacts:
    """The token of a holding: `venue:manual/<class>:<name>`, for cash `venue:manual/<currency>`. Raises: InvalidField."""
    name = " ".join(asset.split())
    if kind == "cash":
        code = name.upper()
        if len(code) != _CURRENCY_LENGTH or not (code.isascii() and code.isalpha()):
            raise InvalidField(f"asset: cash is named by its currency, such as EUR, not {name[:20]!r}")
        return TokenFacts(id=venue_token(VENUE, code), ticker=code, kind="fiat")
    if not name or len(name) > NAME_LENGTH_MAX or not name.isprintable():
        raise InvalidField(f"asset: expected a name of 1 to {NAME_LENGTH_MAX} characters")
    return TokenFacts(id=venue_token(VENUE, f"{kind}:{quote(name, safe=' ')}"), ticker=name, name=name)


def statement(holdings: Sequence[Holding], *, at: EpochMs) -> Evidence:
    """All holdings of an account as a person stated them at that time."""
    body = json.dumps({"holdings": [msgspec.to_builtins(item) for item in holdings]}, ensure_ascii=False, separators=(",", ":"))
    return Evidence(stream=STREAM, request="MANUAL holdings", received_at=at, body=body.encode())


class ManualReader:
    """The reader of manual accounts. There is nothing to read: what is known was stated."""

    def streams(self, access: Access) -> Sequence[Stream]:
        """None."""
        return ()

    async def read(self, access: Access, since: Cursor) -> AsyncIterator[Batch]:
        """No page ever."""
        pages: tuple[Batch, ...] = ()
        for page in pages:
            yield page

    def decode(self, venue: str, stream: str, evidence: Sequence[Evidence]) -> Batch:
        """The holdings of a statement. Raises: VenueBadResponse, InvalidField, InvalidAmount."""
        try:
            stated = _read(evidence[-1].body).holdings
        except msgspec.DecodeError:
            raise VenueBadResponse("manual: a statement is not of our own form") from None
        held: dict[TokenFacts, Decimal] = {token_of(item.asset, item.kind): parse_amount(item.amount) for item in stated}
        balances = tuple(Balance(token.id, amount) for token, amount in held.items())
        at = received_at(evidence)
        return Batch(
            cursor=Cursor(stream),
            observed_at=at,
            tokens=tuple(held),
            wallets=(Wallet(key=WALLET, name="Holdings"),),
            snapshots=(Snapshot(wallet=WALLET, product="spot", at=at, balances=balances, evidence=len(evidence) - 1),),
            evidence=tuple(evidence),
        )

    async def certificate(self, access: Access) -> Certificate:
        """A statement can do nothing."""
        return Certificate(state="read_only", method="", checked_at=access.clock.now())


def changed(held: Sequence[Holding], one: Holding) -> list[Holding]:
    """The holdings with one set anew; a thing that is owned no more stays with zero, so that its absence is said."""
    token = token_of(one.asset, one.kind).id
    others = [item for item in held if token_of(item.asset, item.kind).id != token]
    return [*others, Holding(one.asset, one.kind, canonical(parse_amount(one.amount)))]


def holding_of(token: TokenId, ticker: str, amount: Decimal) -> Holding:
    """The holding behind a balance of a manual account."""
    kind, separator, _ = token.partition("/")[2].partition(":")
    return Holding(ticker, msgspec.convert(kind, AssetClass) if separator else "cash", canonical(amount))
