"""Exchanges that are read through ccxt's unified methods: balances of the account, trades, deposits and withdrawals, best effort.

What ccxt parsed is parsed again from the raw answers, so that a rebuild and a replay give the same facts. Limits: one wallet; the
fills of contracts, rewards, conversions and transfers between wallets are not read.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from omnifolio.catalog import exchanges
from omnifolio.model.clock import DAY_MS, EpochMs
from omnifolio.model.errors import VenueBadResponse
from omnifolio.model.facts import Balance, Claim, Evidence, Gap, Product, Snapshot
from omnifolio.venues.contract import Known, received_at
from omnifolio.venues.exchanges.answers import Context, Page, Quirks, Scopes, Seen, decode, distinct, read_list, read_rows
from omnifolio.venues.exchanges.quirks.unified_rows import (
    QUOTES,
    SPOT_WALLET,
    Names,
    fees,
    held,
    movement,
    spelled,
    trade,
    wallet_of,
)
from omnifolio.venues.exchanges.unified import pair_of, replayed, scope_of

PARTS = frozenset({"info", "free", "used", "total", "debt", "timestamp", "datetime"})
"""What a balance of ccxt holds beside its tokens."""
SWEEP_EVERY_MS = 90 * DAY_MS

RowClaim = Callable[[Context, Mapping[str, Any], str], Claim]


def balances(context: Context, evidence: Sequence[Evidence]) -> Page:
    """One wallet, its holdings and its debts; a row that cannot be read leaves both as they were. Raises: VenueBadResponse."""
    parsed = replayed(context.codes.venue, _method(context), evidence)
    if not isinstance(parsed, dict) or not any(isinstance(parsed.get(part), dict) for part in ("free", "total")):
        raise VenueBadResponse(f"{context.codes.venue}: the answer holds no balances")
    wallet = wallet_of(context)
    own: Product = "spot" if wallet == SPOT_WALLET else "collateral"
    held_of: dict[Product, list[Balance]] = {own: [], "debt": []}

    def read(code: str, entry: Any) -> None:
        token = context.codes.token(spelled(code))
        whole, owed = held(entry)
        if whole:
            held_of[own].append(Balance(token, whole))
        if owed:
            held_of["debt"].append(Balance(token, -owed))

    rows = [(code, entry) for code, entry in sorted(parsed.items()) if code not in PARTS and isinstance(entry, dict)]
    if not rows and not all(_is_empty(decode(item)) for item in evidence):
        raise VenueBadResponse(f"{context.codes.venue}: no balance was found in an answer that is not empty")
    gaps = read_rows(context, rows, read)
    at = received_at(evidence)
    told = [] if gaps else [Snapshot(wallet=wallet, product=p, at=at, balances=tuple(b), evidence=0) for p, b in held_of.items()]
    return Page(seen=Seen(rows=len(rows)), snapshots=told, gaps=gaps)


def _is_empty(value: Any) -> bool:
    """Whether an answer holds a list or object without anything in it: nothing else tells an empty account from an answer that
    ccxt does not understand."""
    if isinstance(value, list):
        return not value
    if not isinstance(value, dict):
        return False
    inner = [item for item in value.values() if isinstance(item, dict | list)]
    return not value or (bool(inner) and any(_is_empty(item) for item in inner))


def _rows(read: RowClaim, context: Context, evidence: Sequence[Evidence]) -> Page:
    """The rows of one call as claims. Raises: VenueBadResponse."""
    parsed = replayed(context.codes.venue, _method(context), evidence)
    if not isinstance(parsed, list):
        raise VenueBadResponse(f"{context.codes.venue}: {_method(context)}: expected a list of rows")
    claims: list[Claim] = []
    untold: list[Gap] = []
    names = Names()

    def take(row: Mapping[str, Any]) -> None:
        name = names.of(row)
        claims.append(read(context, row, name))
        if fees(context, row)[1]:
            text = f"the fee of {name[:60]} was left out: its currency is not told"
            untold.append(Gap(stream=context.stream, code="row_unreadable", text=text))

    gaps = read_list(context, parsed, take)
    times = [row["timestamp"] for row in parsed if isinstance(row, dict) and isinstance(row.get("timestamp"), int)]
    seen = Seen(
        rows=distinct(len(parsed), claims),
        oldest=EpochMs(min(times)) if times else None,
        newest=EpochMs(max(times)) if times else None,
    )
    return Page(seen=seen, claims=claims, gaps=[*gaps, *untold])


def _method(context: Context) -> str:
    """The unified method of a stream."""
    streams = exchanges.load(context.codes.venue).reading.streams
    return next(row.calls[0] for row in streams if row.kind == context.kind)


def is_due(context: Context, known: Known, token: str, now: EpochMs) -> bool:
    """Held tokens are looked up again when there is a new one; the sweep over all markets after ninety days."""
    state = json.loads(token) if token else {}
    if context.scope == "held":
        return _held(context, known) != state.get("tokens")
    return "after" in state or now - int(state.get("swept", 0)) >= SWEEP_EVERY_MS


def _held(context: Context, known: Known) -> list[str]:
    prefix = f"venue:{context.codes.venue}/"
    return sorted(context.codes.code_of(token) for token in known.tokens if token.startswith(prefix))


def scopes(context: Context, known: Known, token: str, answers: Sequence[Evidence]) -> Scopes:
    """Spot markets whose trades were never asked for: those of held tokens, or, in the sweep, all others by name."""
    state = json.loads(token) if token else {}
    markets = replayed(context.codes.venue, _method(context), answers)
    tokens = _held(context, known)
    found: set[str] = set()

    def read(market: Mapping[str, Any]) -> None:
        if not market["spot"]:
            return
        scope = scope_of(str(market["base"]), str(market["quote"]), str(market["id"]))
        base, quote = pair_of(scope)
        if context.scope == "held" and not (base in tokens and (quote in tokens or quote in QUOTES)):
            return
        if scope > state.get("after", "") and f"trades/{scope}" not in known.cursors:
            found.add(scope)

    gaps = read_list(context, markets, read)
    streams = tuple(f"trades/{scope}" for scope in sorted(found))
    if context.scope == "held":
        return Scopes(streams=streams, token=json.dumps({"tokens": tokens}), gaps=gaps)
    return Scopes(
        streams=streams,
        token=json.dumps({"swept": received_at(answers)}),
        progress=lambda stream: json.dumps({"after": stream.partition("/")[2]}),
        keeps_empty=False,
        gaps=gaps,
    )


QUIRKS = Quirks(
    snapshots={"balances": balances},
    joined={
        "trades": partial(_rows, trade),
        "deposits": partial(_rows, movement),
        "withdrawals": partial(_rows, movement),
        "transfers": partial(_rows, movement),
    },
    is_due=is_due,
    scopes=scopes,
)
