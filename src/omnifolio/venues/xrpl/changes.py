"""What a transaction changed, entry by entry of the ledger: whose balance, of what, by how much. The metadata alone decides.

A trust line has two accounts, and its balance is as the low one sees it. What an account sees above zero it holds of the other;
what it sees below zero it owes, in currency of its own. A pool, an issuer and a stranger change in the same way as the account
that is read, so who gave and who got can be told. An entry of a type that is not known here holds no balance that is read.
"""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal

import msgspec
from msgspec import Raw, Struct

from omnifolio.catalog.xrpl_chains import XRP_DECIMALS, XrplChain
from omnifolio.model.amounts import EXACT, ZERO, from_units
from omnifolio.model.errors import VenueBadResponse
from omnifolio.model.tokens import TokenFacts
from omnifolio.venues.answers import shaped
from omnifolio.venues.xrpl.address import ACCOUNT_BYTES, address_of
from omnifolio.venues.xrpl.shapes import Affected, Entry, Issued, Limit, amount_of, drops
from omnifolio.venues.xrpl.tokens import collectible, issued

COIN = "xrp"
ID_SHOWN = 16
"""Digits of an entry's id in the key of a leg."""


class Change(Struct, frozen=True):
    """`account` has so much more of `token` than before. `other` is who stands at the other end of the entry, "" nobody."""

    account: str
    key: str
    token: TokenFacts
    amount: Decimal
    other: str = ""


class Unread(Struct, frozen=True):
    """`account` has more or less of something whose amount cannot be told."""

    account: str


class _Money(Struct, frozen=True, rename="pascal"):
    """Fields of an AccountRoot, an escrow and a channel; those that did not change are missing among the former ones."""

    account: str = ""
    destination: str = ""
    balance: str | None = None
    amount: Raw = Raw()


class _Line(Struct, frozen=True, rename="pascal"):
    balance: Issued | None = None
    low_limit: Limit | None = None
    high_limit: Limit | None = None


class _Named(Struct, frozen=True):
    name: str = msgspec.field(name="NFTokenID")


class _Held(Struct, frozen=True, rename="pascal"):
    n_f_token: _Named = msgspec.field(name="NFToken")


class _Page(Struct, frozen=True):
    tokens: tuple[_Held, ...] | None = msgspec.field(name="NFTokens", default=None)


class _Multi(Struct, frozen=True, rename="pascal"):
    account: str = ""
    issuer: str = ""


class _Told(Struct, frozen=True):
    """An entry with its fields before and after; None where it was not there."""

    entry: Entry
    before: Raw | None
    after: Raw | None
    former: Raw
    """Of the fields before, those that changed."""


def changes_of(chain: XrplChain, nodes: Sequence[Affected]) -> Iterator[Change | Unread]:
    """All that accounts gained and lost, fees included. Raises: VenueBadResponse."""
    before: dict[str, str] = {}
    after: dict[str, str] = {}
    for node in nodes:
        told = _told(node)
        kind = told.entry.ledger_entry_type
        if kind == "AccountRoot":
            yield from _coins(chain, told)
        elif kind == "RippleState":
            yield from _line(chain, told)
        elif kind == "Escrow":
            yield from _escrow(chain, told)
        elif kind == "PayChannel":
            yield from _channel(chain, told)
        elif kind == "NFTokenPage":
            _collect(told, before, after)
        elif kind in ("MPToken", "MPTokenIssuance"):
            known = shaped(told.after or told.before or Raw(b"{}"), _Multi)
            yield Unread(known.account or known.issuer)
    for name in sorted(before.keys() | after.keys()):
        # Pages are split and joined, so only who has it before and after the whole tells anything.
        was, now = before.get(name, ""), after.get(name, "")
        for account, amount, other in ((was, -1, now), (now, 1, was)) if was != now else ():
            if account:
                yield Change(account, f"nft:{name}", collectible(chain, name), Decimal(amount), other)


def made(nodes: Sequence[Affected], account: str) -> bool:
    """Whether the account itself came into being here."""
    return any(
        node.created_node is not None
        and node.created_node.ledger_entry_type == "AccountRoot"
        and shaped(node.created_node.new_fields, _Money).account == account
        for node in nodes
    )


def _told(node: Affected) -> _Told:
    if node.created_node is not None:
        return _Told(node.created_node, None, node.created_node.new_fields, Raw(b"{}"))
    if node.deleted_node is not None:
        return _Told(node.deleted_node, node.deleted_node.final_fields, None, node.deleted_node.previous_fields)
    entry = node.modified_node
    if entry is None:
        raise VenueBadResponse("the server tells of an entry that was neither made, changed nor removed")
    return _Told(entry, entry.final_fields, entry.final_fields, entry.previous_fields)


def _coins(chain: XrplChain, told: _Told) -> Iterator[Change]:
    fields = shaped(told.after or told.before or Raw(b"{}"), _Money)
    last, former = drops(fields.balance or "0"), shaped(told.former, _Money).balance
    was = 0 if told.before is None else drops(former) if former is not None else last
    now = 0 if told.after is None else last
    if now != was:
        yield Change(fields.account, COIN, chain.native, from_units(now - was, XRP_DECIMALS))


def _line(chain: XrplChain, told: _Told) -> Iterator[Change | Unread]:
    fields = shaped(told.after or told.before or Raw(b"{}"), _Line)
    former = shaped(told.former, _Line).balance
    if fields.balance is None or fields.low_limit is None or fields.high_limit is None:
        return  # Told only because the transaction belongs to its history.
    code, low, high = fields.balance.currency, fields.low_limit.issuer, fields.high_limit.issuer
    last, first = amount_of(fields.balance.value), amount_of((former or fields.balance).value)
    if last is None or first is None:
        yield from (Unread(low), Unread(high))
        return
    was, now = ZERO if told.before is None else first, ZERO if told.after is None else last
    for account, other, sign in ((low, high, 1), (high, low, -1)):
        for key, issuer, side in (("token", other, max), ("owed", account, min)):
            amount = EXACT.subtract(side(sign * now, ZERO), side(sign * was, ZERO))
            if amount:
                yield Change(account, f"{key}:{code}:{other}", issued(chain, code, issuer), amount, other)


def _escrow(chain: XrplChain, told: _Told) -> Iterator[Change | Unread]:
    fields = shaped(told.after or told.before or Raw(b"{}"), _Money)
    if told.before is not None and told.after is not None:
        return  # Nothing changes how much lies in an escrow.
    held = escrowed(chain, fields.amount)
    if held is None:
        yield Unread(fields.account)
        return
    token, amount = held
    key = f"escrow:{told.entry.ledger_index[:ID_SHOWN]}"
    yield Change(fields.account, key, token, amount if told.before is None else -amount, fields.destination)


def escrowed(chain: XrplChain, amount: Raw) -> tuple[TokenFacts, Decimal] | None:
    """What lies in an escrow; None for what is neither XRP nor an issued currency, or is too fine. Raises: VenueBadResponse."""
    if bytes(amount).startswith(b'"'):
        return chain.native, from_units(drops(shaped(amount, str)), XRP_DECIMALS)
    try:
        told = msgspec.json.decode(amount, type=Issued)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    found = amount_of(told.value)
    return None if found is None else (issued(chain, told.currency, told.issuer), found)


def _channel(chain: XrplChain, told: _Told) -> Iterator[Change]:
    fields, former = shaped(told.after or told.before or Raw(b"{}"), _Money), shaped(told.former, _Money)
    put = _drops_in(fields.amount, "0")
    last = put - drops(fields.balance or "0")
    first = _drops_in(former.amount, str(put)) - drops(former.balance if former.balance is not None else fields.balance or "0")
    was, now = 0 if told.before is None else first, 0 if told.after is None else last
    if now != was:
        key = f"channel:{told.entry.ledger_index[:ID_SHOWN]}"
        yield Change(fields.account, key, chain.native, from_units(now - was, XRP_DECIMALS), fields.destination)


def _drops_in(amount: Raw, missing: str) -> int:
    return drops(shaped(amount, str) if bytes(amount) else missing)


def _collect(told: _Told, before: dict[str, str], after: dict[str, str]) -> None:
    """The collectibles of one page. A page's id begins with its owner."""
    owner = _owner(told.entry)
    former = shaped(told.former, _Page).tokens
    last = shaped(told.after or told.before or Raw(b"{}"), _Page).tokens or ()
    if told.before is not None:
        _put(before, owner, last if former is None else former)
    if told.after is not None:
        _put(after, owner, last)


def _put(found: dict[str, str], owner: str, tokens: Sequence[_Held]) -> None:
    found |= {held.n_f_token.name: owner for held in tokens}


def _owner(entry: Entry) -> str:
    try:
        return address_of(bytes.fromhex(entry.ledger_index[: ACCOUNT_BYTES * 2]))
    except (ValueError, AssertionError):
        raise VenueBadResponse("a page of collectibles has an id that names no owner") from None


def gained(changes: Sequence[Change], token: TokenFacts) -> Mapping[str, Decimal]:
    """What each account has more or less of a token, without those for which it adds up to nothing."""
    sums: dict[str, Decimal] = {}
    for change in changes:
        if change.token.id == token.id:
            sums[change.account] = EXACT.add(sums.get(change.account, ZERO), change.amount)
    return {account: amount for account, amount in sums.items() if amount}
