"""What is particular to HTX: each purse is an account with an id, fills and ledgers reach back only so far, codes are lower case.

No complete ledger exists: matchresults tell the fills of 120 days, the account ledger the moves between purses of 180 days, the
account history (one hour a question, 30 days) what no other stream tells: interest, loans, rebates, conversions and the rest.
A row of the last two moves one purse; the purse at the other end tells its own side.
Source: huobiapi.github.io/docs/spot/v1/en: accounts, balance, account history, account ledger, match results, deposits and
withdrawals, API key query, UID; ccxt 4.5.90 for the rows of the contract accounts.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from msgspec.structs import replace

from omnifolio.model.amounts import canonical, parse_amount, product
from omnifolio.model.clock import DAY_MS, EpochMs
from omnifolio.model.errors import InvalidField
from omnifolio.model.facts import Claim, Evidence, Kind, Leg, Status
from omnifolio.model.tokens import TokenId
from omnifolio.venues.contract import Known
from omnifolio.venues.exchanges.answers import KEY_START, Context, Page, Quirks, Scopes, Seen, distinct, one_page, read_list
from omnifolio.venues.exchanges.codes import Codes
from omnifolio.venues.exchanges.positions import several
from omnifolio.venues.exchanges.quirks import htx_coin_positions, htx_positions, htx_subusers
from omnifolio.venues.exchanges.quirks.htx_balances import accounts_of, balances, code_of, data_of, rows_of, wallet_of
from omnifolio.venues.exchanges.rights import Rights
from omnifolio.venues.exchanges.subaccounts import SCOPE
from omnifolio.venues.exchanges.times import from_ms

QUOTES = (
    "USDT",
    "USDC",
    "USDD",
    "HUSD",
    "TUSD",
    "FDUSD",
    "BTC",
    "ETH",
    "TRX",
    "HT",
    "EUR",
    "GBP",
    "BRL",
    "TRY",
    "RUB",
    "UAH",
    "USD",
)
"""Where neither end of a symbol is told by the fee's currency, it is cut before one of these."""
POINT = "HBPOINT"
SCOPED = ("transfers", "history")
_DETAILED = ("spot", "margin", "super-margin")
"""Accounts whose history is read; the others change by moves alone."""
_CHAIN_HASH = re.compile(r"(?:0x)?([0-9a-fA-F]{64})")

_STATUSES: Mapping[str, Status] = {
    "unknown": "pending",
    "confirming": "pending",
    "confirmed": "confirmed",
    "safe": "confirmed",
    "orphan": "failed",
    "waiting-tiny-amount": "pending",
    "verifying": "pending",
    "failed": "failed",
    "submitted": "pending",
    "reexamine": "pending",
    "canceled": "cancelled",
    "pass": "pending",
    "reject": "failed",
    "pre-transfer": "pending",
    "wallet-transfer": "pending",
    "wallet-reject": "failed",
    "confirm-error": "failed",
    "repealed": "failed",
}
_HISTORY_KINDS: Mapping[str, Kind] = {
    # What is paid for a loan.
    "interest": "fee",
    "rebate": "rebate",
    "exchange": "trade",
    "etf": "trade",
}


def trades(context: Context, evidence: Evidence) -> Page:
    """A page of matchresults: each fill is one claim."""
    rows = rows_of(evidence)
    claims: list[Claim] = []
    gaps = read_list(context, rows, lambda row: claims.append(_fill(context.codes, row)))
    return Page(seen=_seen(rows, claims), claims=claims, gaps=gaps)


def _fill(codes: Codes, row: Mapping[str, Any]) -> Claim:
    side, _, _ = str(row["type"]).partition("-")
    if side not in ("buy", "sell"):
        raise InvalidField("type: expected buy-… or sell-…")
    base, quote = pair_of(codes, row)
    amount = parse_amount(row["filled-amount"], where="filled-amount")
    cost = product(amount, parse_amount(row["price"], where="price"))
    source, sign = str(row.get("source") or ""), 1 if side == "buy" else -1
    wallet = "margin" if source.startswith(("margin", "super-margin", "fl-")) else "spot"
    legs = [Leg("base", wallet, base, sign * amount), Leg("quote", wallet, quote, -sign * cost), *_fees(codes, row, wallet)]
    return Claim(
        book="trades",
        ref=str(int(row["id"])),
        refs=(f"htx:trade/{int(row['id'])}",),
        name=str(row["id"]),
        at=from_ms(row["created-at"]),
        kind="liquidation" if source.startswith("fl-") else "trade",
        legs=tuple(leg for leg in legs if leg.amount),
        label=str(row["type"]),
        evidence=0,
    )


def _fees(codes: Codes, row: Mapping[str, Any], wallet: str) -> list[Leg]:
    """The fee, and what was taken in HT or points in its place. A rebate (negative fee) is paid later, by a row of its own."""
    legs = []
    fee = parse_amount(row.get("filled-fees") or "0", where="filled-fees")
    if fee > 0:
        legs.append(Leg("fee", wallet, codes.token(code_of(row["fee-currency"])), -fee, "fee"))
    deducted = parse_amount(row.get("filled-points") or "0", where="filled-points")
    if deducted:
        code = code_of(row["fee-deduct-currency"])
        legs.append(Leg("fee:deducted", "point" if code == POINT else wallet, codes.token(code), -deducted, "fee"))
    return legs


def pair_of(codes: Codes, row: Mapping[str, Any]) -> tuple[TokenId, TokenId]:
    """Base and quote of a symbol such as `dogeusdt`: the fee's currency is one of its ends, else a known quote is.

    Raises: KeyError, InvalidField.
    """
    symbol, fee = code_of(row["symbol"]), str(row.get("fee-currency") or "").upper()
    known = next((quote for quote in QUOTES if symbol.endswith(quote) and symbol != quote), "")
    if fee and symbol.endswith(fee) and symbol != fee and not (known and symbol.removesuffix(known) == fee):
        known = fee
    elif fee and symbol.startswith(fee) and symbol != fee and not symbol.endswith(fee):
        known = symbol.removeprefix(fee)
    if not known:
        raise InvalidField("symbol: its quote asset is not known")
    return codes.token(symbol.removesuffix(known)), codes.token(known)


def transfers_outside(context: Context, evidence: Evidence) -> Page:
    """A page of deposits or withdrawals, by ascending id."""
    rows = rows_of(evidence)
    claims: list[Claim] = []
    gaps = read_list(context, rows, lambda row: claims.append(_outside(context, row)))
    ids = [int(row["id"]) for row in rows if isinstance(row, dict) and str(row.get("id", "")).isdigit()]
    unsettled = [int(claim.name) for claim in claims if claim.status == "pending"]
    seen = Seen(
        rows=distinct(len(rows), claims),
        last_id=str(max(ids)) if ids else "",
        open_id=str(min(unsettled)) if unsettled else "",
    )
    return Page(seen=seen, claims=claims, gaps=gaps)


def _outside(context: Context, row: Mapping[str, Any]) -> Claim:
    if row["type"] not in ("deposit", "withdraw"):
        raise InvalidField("type: expected deposit or withdraw")
    comes_in = row["type"] == "deposit"
    token, amount = context.codes.token(code_of(row["currency"])), parse_amount(row["amount"])
    fee = parse_amount(row.get("fee") or "0", where="fee")
    status = _STATUSES.get(str(row["state"]), "pending")
    # The address of a deposit is the account's own at the venue; only a withdrawal's names the other side.
    peer = None if comes_in else row.get("address") or None
    legs = (
        Leg("amount", "spot", token, amount if comes_in else -amount, "principal", peer),
        Leg("fee", "spot", token, -fee, "fee"),
    )
    number = int(row["id"])
    return Claim(
        book="deposits" if comes_in else "withdrawals",
        ref=str(number),
        refs=(f"htx:{row['type']}/{number}",),
        name=str(number),
        at=from_ms(row["created-at"]),
        kind="deposit" if comes_in else "withdrawal",
        legs=tuple(leg for leg in legs if leg.amount) if status in ("confirmed", "pending") else (),
        label=str(row["state"]),
        status=status,
        event=_event(context, row),
        evidence=0,
    )


def _event(context: Context, row: Mapping[str, Any]) -> str | None:
    """The chain's transaction, where the chain is known and the hash has its form; fast transfers inside the venue have none."""
    chain, match = context.networks.get(str(row.get("chain") or "")), _CHAIN_HASH.fullmatch(str(row.get("tx-hash") or ""))
    if chain is None or match is None:
        return None
    return f"{chain}:{'0x' if chain.startswith('eip155:') else ''}{match[1].lower()}"


def moves(context: Context, evidence: Evidence) -> Page:
    """A page of one account's ledger: moves between the user's purses, each row the own side of one.

    Both sides name who gave, who took, when and how much: where they agree, the two rows are one event.
    """
    rows, times = rows_of(evidence), Counter[str]()
    claims: list[Claim] = []

    def read(row: Mapping[str, Any]) -> None:
        amount, word = parse_amount(row["transactAmt"], where="transactAmt"), str(row.get("transferType") or row["transactType"])
        code, at = code_of(row["currency"]), from_ms(row["transactTime"])
        # The row's own id is 0 more often than not.
        told = f"{int(row['accountId'])}/{at}/{code}/{canonical(amount)}/{word}"
        times[told] += 1
        ref = f"{told}/{times[told]}" if times[told] > 1 else told
        leg = Leg(ref, _wallet(context), context.codes.token(code), amount)
        claim = _row(context, ref=ref, at=at, kind="transfer", legs=(leg,), label=word)
        ends = (row.get("transferer"), row.get("transferee"))
        if all(ends):
            move = f"htx:move/{ends[0]}/{ends[1]}/{at}/{code}/{canonical(abs(amount))}"
            claim = replace(claim, refs=(*claim.refs, move))
        claims.append(claim)

    gaps = read_list(context, rows, read)
    return Page(seen=_seen(rows, claims, following=_outer(evidence, "nextId")), claims=claims, gaps=gaps)


def history(context: Context, evidence: Evidence) -> Page:
    """A page of one account's history: what neither fills, nor transfers, nor moves tell."""
    rows = rows_of(evidence)
    claims: list[Claim] = []

    def read(row: Mapping[str, Any]) -> None:
        amount, word = parse_amount(row["transact-amt"], where="transact-amt"), str(row["transact-type"])
        token, wallet, kind = context.codes.token(code_of(row["currency"])), _wallet(context), _HISTORY_KINDS.get(word, "other")
        legs = [Leg("amount", wallet, token, amount)]
        if word == "credit":
            # What is borrowed is owed in the same wallet, so its sum stays what it is.
            kind = "borrow" if amount > 0 else "repay"
            legs.append(Leg("debt", wallet, token, -amount))
        ref, at = str(int(row["record-id"])), from_ms(row["transact-time"])
        claims.append(_row(context, ref=ref, at=at, kind=kind, legs=tuple(legs), label=word))

    gaps = read_list(context, rows, read)
    return Page(seen=_seen(rows, claims, following=_outer(evidence, "next-id")), claims=claims, gaps=gaps)


def _row(context: Context, *, ref: str, at: EpochMs, kind: Kind, legs: Sequence[Leg], label: str) -> Claim:
    return Claim(
        book=context.kind,
        ref=ref,
        refs=(f"htx:{context.kind}/{ref}",),
        at=at,
        kind=kind,
        legs=tuple(leg for leg in legs if leg.amount),
        label=label,
        evidence=0,
    )


def _wallet(context: Context) -> str:
    return wallet_of(context.scope.partition(":")[0])


def _outer(evidence: Evidence, name: str) -> bool:
    """Whether the answer says that rows of its window are left."""
    return bool(data_of(evidence)[1].get(name))


def _seen(rows: Sequence[Any], claims: Sequence[Claim], *, following: bool | None = None) -> Seen:
    times = [claim.at for claim in claims]
    return Seen(
        rows=distinct(len(rows), claims), oldest=min(times, default=None), newest=max(times, default=None), has_more=following
    )


def asked(call: str, answers: Sequence[Evidence]) -> list[dict[str, str]]:
    """Balances are asked for each account, contracts for open positions, the key's rights for the key's own user."""
    if call == "spotPrivateGetV1AccountAccountsAccountIdBalance":
        return [{"account-id": number} for number, _ in accounts_of(answers)]
    if call == "spotPrivateGetV2UserApiKey":
        return [{"uid": str(data_of(answers[-1])[0])}]
    if call == htx_positions.CONTRACTS_CALL:
        return htx_positions.asked(answers)
    if call == htx_subusers.BALANCE_CALL:
        return htx_subusers.asked(answers)
    if call in htx_coin_positions.CALLS:
        return htx_coin_positions.asked(call, answers)
    return [{}]


def is_due(context: Context, known: Known, token: str, now: EpochMs) -> bool:
    """Purses are looked for once a day: a new one begins with a move."""
    return not token or now - int(token) >= DAY_MS


def scopes(context: Context, known: Known, token: str, answers: Sequence[Evidence]) -> Scopes:
    """Streams of accounts that were never asked."""
    found = [
        f"{kind}/{account}:{number}"
        for number, account in accounts_of(answers)
        for kind in SCOPED
        if kind == "transfers" or account in _DETAILED
    ]
    return Scopes(streams=tuple(name for name in found if name not in known.cursors), token=str(answers[0].received_at))


def account_id(scope: str) -> str:
    """The account id in a scope such as `spot:100009`."""
    return scope.partition(":")[2]


def scope_of(payload: Any) -> str:
    """The scope of recorded rows: the account that they name, which is a spot account where nothing else is known."""
    rows = payload.get("data") if isinstance(payload, dict) else None
    row = rows[0] if isinstance(rows, list) and rows and isinstance(rows[0], dict) else {}
    number = row.get("account-id") or row.get("accountId")
    return f"spot:{number}" if number else ""


def forms(payload: Any) -> list[Any]:
    """A recorded payload as the answer that it was, and inside the envelope that a recording may have lost."""
    return [payload] if isinstance(payload, dict) and "data" in payload else [{"status": "ok", "data": payload}]


def rights(evidence: Evidence) -> Rights:
    """What the key may do, from the API key query: all keys of the user, its own among them."""
    start = evidence.params.get(KEY_START, "")
    rows = [row for row in rows_of(evidence) if isinstance(row, dict) and str(row.get("accessKey") or "").startswith(start)]
    row = rows[0] if len(rows) == 1 else {}
    words = tuple(word.strip() for word in str(row.get("permission") or "").split(",") if word.strip())
    days, changed = row.get("validDays"), row.get("updateTime")
    expires = changed + days * DAY_MS if isinstance(days, int) and isinstance(changed, int) and days >= 0 else None
    return Rights(
        granted=words,
        ip_restricted=bool(row["ipAddresses"]) if "ipAddresses" in row else None,
        expires_at=expires,
        is_known=bool(words),
    )


def following(call: str, last: Evidence | None) -> dict[str, str] | None:
    """Sub-users come in pages."""
    return htx_subusers.following(last) if call == htx_subusers.LIST_CALL else one_page(call, last)


def _balances(context: Context, evidence: Sequence[Evidence]) -> Page:
    """The user's own balances, or those of the sub-users. Raises: VenueBadResponse."""
    return (htx_subusers.of_subusers if context.scope == SCOPE else balances)(context, evidence)


QUIRKS = Quirks(
    parsers={
        "trades": trades,
        "deposits": transfers_outside,
        "withdrawals": transfers_outside,
        "transfers": moves,
        "history": history,
    },
    snapshots={"balances": _balances, "positions": several(htx_positions.open_positions, htx_coin_positions.open_positions)},
    rights=rights,
    asked=asked,
    following=following,
    is_due=is_due,
    scopes=scopes,
    scope_value=account_id,
    scope_of=scope_of,
    forms=forms,
)
