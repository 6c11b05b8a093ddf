"""What is particular to Hyperliquid: an account is a public address, and everything is asked at one place, `POST /info`.

Spot tokens, the collateral of perpetuals (USDC without what positions have not realized) and staked HYPE have wallets of
their own.
Pairs of spot fills have numbers, which `spotMeta` names; a coin without a pair is a perpetual, whose fills move profit and fee.
Source: hyperliquid.gitbook.io, Info endpoint; hyperliquid-python-sdk with its recorded answers; seen 2026-11-27.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from omnifolio.model.amounts import parse_amount, product, total
from omnifolio.model.errors import InvalidField
from omnifolio.model.facts import Claim, Evidence, Kind, Leg, Position
from omnifolio.model.tokens import TokenId
from omnifolio.venues.exchanges.answers import Context, Page, Quirks, decode, expect_dict, read_list
from omnifolio.venues.exchanges.positions import Contracts, optional, positions, together, unrealised
from omnifolio.venues.exchanges.quirks.hyperliquid_updates import PERP, SPOT, STAKING, update, wallet_of
from omnifolio.venues.exchanges.telling import Held, Source, fill, history, rows_at, snapshots, told
from omnifolio.venues.exchanges.times import from_ms

HYPE, USDC = "HYPE", "USDC"
Pairs = dict[str, tuple[TokenId, TokenId]]

_SIDES = {"B": "buy", "A": "sell"}


def _is(question: str, field: str) -> Callable[[Evidence], bool]:
    """Whether an answer is that question's: by what was asked, or where a recording has lost that, by its form."""

    def is_one(evidence: Evidence) -> bool:
        if "type" in evidence.params:
            return evidence.params["type"] == question
        body = decode(evidence)
        return isinstance(body, dict) and field in body

    return is_one


def _alone(evidence: Evidence) -> list[Any]:
    return [expect_dict(decode(evidence), evidence, where="the answer")]


def _spot(context: Context, row: Mapping[str, Any]) -> Iterable[Held]:
    amount = parse_amount(row["total"], where="total")
    yield SPOT, "debt" if amount < 0 else "spot", context.codes.token(row["coin"]), amount


def _perp(context: Context, row: Mapping[str, Any]) -> Iterable[Held]:
    """The account's value without what its positions have not realized."""
    value = parse_amount(row["marginSummary"]["accountValue"], where="accountValue")
    open_gains = [parse_amount(item["position"]["unrealizedPnl"], where="unrealizedPnl") for item in row["assetPositions"]]
    amount = total((value, *(-gain for gain in open_gains)))
    yield PERP, "debt" if amount < 0 else "collateral", context.codes.token(USDC), amount


def _position(context: Context, row: Mapping[str, Any], contracts: Contracts) -> Position | None:
    """An open perpetual: what it has gained is not in the collateral, which is told without."""
    found = row["position"]
    size = parse_amount(found["szi"], where="szi")
    if not size:
        return None
    coin, gained = context.codes.token(found["coin"]), parse_amount(found["unrealizedPnl"], where="unrealizedPnl")
    mode = found["leverage"]["type"]
    if mode not in ("cross", "isolated"):
        raise InvalidField("leverage: expected cross or isolated")
    dollar = context.codes.token(USDC)
    return Position(
        key=str(found["coin"]),
        kind="perpetual",
        name=str(found["coin"]),
        size=size,
        size_token=coin,
        components=unrealised(dollar, gained),
        base=coin,
        quote=dollar,
        settle=dollar,
        entry_price=optional(found, "entryPx"),
        liquidation_price=optional(found, "liquidationPx"),
        unrealised=gained,
        margin=optional(found, "marginUsed"),
        margin_mode=mode,
        leverage=optional(found["leverage"], "value"),
    )


def _staked(context: Context, row: Mapping[str, Any]) -> Iterable[Held]:
    amounts = (parse_amount(row[name], where=name) for name in ("delegated", "undelegated", "totalPendingWithdrawal"))
    yield STAKING, "staked", context.codes.token(HYPE), total(amounts)


def fills(context: Context, evidence: Sequence[Evidence]) -> Page:
    """A page of userFillsByTime; the answers beside it name the pairs."""
    pairs: Pairs = {}
    for item in evidence[1:]:
        pairs |= _pairs(context, item)
    return history(rows_at(), lambda context, row: _fill(context, pairs, row))(context, evidence[0])


def _pairs(context: Context, evidence: Evidence) -> Pairs:
    """Base and quote of each spot pair by its name, out of spotMeta; none out of any other answer.

    A pair that cannot be read makes gaps of the fills that name it.
    """
    body = decode(evidence)
    if not isinstance(body, dict) or not isinstance(body.get("universe"), list) or not isinstance(body.get("tokens"), list):
        return {}
    names: dict[int, str] = {}
    pairs: Pairs = {}

    def name(token: Mapping[str, Any]) -> None:
        names[token["index"]] = token["name"]

    def pair(row: Mapping[str, Any]) -> None:
        base, quote = (context.codes.token(names[place]) for place in row["tokens"])
        pairs[row["name"]] = base, quote

    read_list(context, body["tokens"], name)
    read_list(context, body["universe"], pair)
    return pairs


def _fill(context: Context, pairs: Pairs, row: Mapping[str, Any]) -> Claim:
    coin, fee = str(row["coin"]), parse_amount(row["fee"], where="fee")
    size, price = parse_amount(row["sz"], where="sz"), parse_amount(row["px"], where="px")
    if row["side"] not in _SIDES:
        raise InvalidField("side: expected A or B")
    legs: Iterable[Leg]
    kind: Kind = "trade"
    if coin.startswith("@") or "/" in coin:
        base, quote = _pair_of(context, pairs, coin)
        legs = fill(
            _SIDES[row["side"]],
            base=base,
            quote=quote,
            amount=size,
            cost=product(size, price),
            fee=fee,
            fee_token=context.codes.token(row["feeToken"]),
            wallet=SPOT,
        )
    else:
        gain = parse_amount(row["closedPnl"], where="closedPnl")
        wallet = wallet_of(coin.partition(":")[0] if ":" in coin else "")
        fee_token = context.codes.token(row.get("feeToken") or USDC)
        legs = (Leg("pnl", wallet, context.codes.token(USDC), gain), Leg("fee", wallet, fee_token, -fee, "fee"))
        kind = "liquidation" if row.get("liquidation") else "realized_pnl" if gain else "fee"
    # Older fills have no number of their own.
    ref = row.get("tid") or "/".join(str(row[name]) for name in ("hash", "oid", "startPosition", "px", "sz"))
    label = f"{row.get('dir') or row['side']} {coin}"
    return told(context, ref=ref, at=from_ms(row["time"]), kind=kind, legs=legs, label=label)


def _pair_of(context: Context, pairs: Pairs, coin: str) -> tuple[TokenId, TokenId]:
    if coin in pairs:
        return pairs[coin]
    base, separator, quote = coin.partition("/")
    if not separator:
        raise InvalidField("coin: its pair is not named by spotMeta")
    return context.codes.token(base), context.codes.token(quote)


def _funding(context: Context, row: Mapping[str, Any]) -> Claim:
    """A funding payment: what the account received, or with a sign what it paid."""
    delta = row["delta"]
    coin = str(delta["coin"])
    wallet = wallet_of(coin.partition(":")[0] if ":" in coin else "")
    leg = Leg("amount", wallet, context.codes.token(USDC), parse_amount(delta["usdc"], where="usdc"))
    ref = f"{row['time']}/{coin}"
    return told(context, ref=ref, at=from_ms(row["time"]), kind="funding_payment", legs=(leg,), label=coin)


def _reward(context: Context, row: Mapping[str, Any]) -> Claim:
    """A reward of staking, which is staked itself."""
    leg = Leg("amount", STAKING, context.codes.token(HYPE), parse_amount(row["totalAmount"], where="totalAmount"))
    ref = f"{row['time']}/{row['source']}"
    return told(context, ref=ref, at=from_ms(row["time"]), kind="staking_reward", legs=(leg,), label=row["source"])


def updates(context: Context, evidence: Evidence) -> Page:
    """A page of userNonFundingLedgerUpdates, seen from the address that was asked about."""
    owner = evidence.params.get("user", "").lower()
    return history(rows_at(), lambda context, row: update(context, owner, row))(context, evidence)


QUIRKS = Quirks(
    parsers={"funding": history(rows_at(), _funding), "rewards": history(rows_at(), _reward), "updates": updates},
    joined={"fills": fills},
    snapshots={
        "balances": together(
            snapshots(
                Source(
                    path_end="/info",
                    is_one=_is("spotClearinghouseState", "balances"),
                    rows_of=rows_at("balances"),
                    read=_spot,
                    tells=((SPOT, "spot"), (SPOT, "debt")),
                ),
                Source(
                    path_end="/info",
                    is_one=_is("clearinghouseState", "marginSummary"),
                    rows_of=_alone,
                    read=_perp,
                    tells=((PERP, "collateral"), (PERP, "debt")),
                ),
                Source(
                    path_end="/info",
                    is_one=_is("delegatorSummary", "delegated"),
                    rows_of=_alone,
                    read=_staked,
                    tells=((STAKING, "staked"),),
                ),
            ),
            positions(
                path_end="/info",
                is_one=_is("clearinghouseState", "marginSummary"),
                rows_of=rows_at("assetPositions"),
                wallet=PERP,
                read=_position,
            ),
        )
    },
)
