"""What is particular to Bitpanda: a list of movements for each kind of wallet, and rows that number their asset.

The lists together are the ledger. A trade stands in two of them and among the trades, which tell both of its sides: all three
name the same legs, so that each counts once whichever is read first. Assets are named by the wallets, read beside every page.
Source: developers.bitpanda.com: trades, wallets, asset-wallets, fiatwallets and their transactions.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from msgspec import Struct

from omnifolio.model.amounts import canonical, parse_amount
from omnifolio.model.clock import EpochMs
from omnifolio.model.errors import InvalidField
from omnifolio.model.facts import Claim, Evidence, Kind, Leg, Status
from omnifolio.model.tokens import TokenId
from omnifolio.venues.exchanges.answers import Context, Page, Quirks, Seen, decode, expect_dict, expect_list, read_list
from omnifolio.venues.exchanges.telling import Held, Source, snapshots, told
from omnifolio.venues.exchanges.times import from_iso, from_seconds

BOOK = "ledger"
CRYPTO = "cryptocoin"
_FIAT_NUMBERS = {"1": "EUR", "2": "USD", "3": "CHF", "4": "GBP"}
"""As the documentation numbers them."""
_STATUSES: Mapping[str, Status] = {"finished": "confirmed", "canceled": "cancelled", "cancelled": "cancelled", "failed": "failed"}
_KINDS: Mapping[str, Kind] = {
    "buy": "trade",
    "sell": "trade",
    "deposit": "deposit",
    "withdrawal": "withdrawal",
    "transfer": "transfer",
    "refund": "refund",
}


class Names(Struct, frozen=True):
    """What the wallets tell: symbols by the asset's number, and by a wallet's id its symbol and the wallet of ours it is in."""

    symbols: Mapping[tuple[str, str], str]
    places: Mapping[str, tuple[str, str]]


def names_in(evidence: Iterable[Evidence]) -> Names:
    """The names in all answers that list wallets; other answers tell none."""
    symbols, places = dict[tuple[str, str], str](), dict[str, tuple[str, str]]()
    for item in evidence:
        for row, group in _wallets(decode(item)):
            about = row.get("attributes")
            if not isinstance(about, dict):
                continue
            family = "fiat" if row.get("type") == "fiat_wallet" else "cryptocoin"
            symbol = about.get(f"{family}_symbol")
            if isinstance(symbol, str):
                symbols[family, str(about.get(f"{family}_id"))] = symbol
                places[str(row.get("id"))] = (symbol, _place(family, group))
    return Names(symbols, places)


def _place(family: str, group: str) -> str:
    return "fiat" if family == "fiat" else "spot" if group == CRYPTO else "assets"


def _wallets(payload: Any) -> Iterator[tuple[Mapping[str, Any], str]]:
    """Wallets with the group that they are listed under."""
    data = payload.get("data") if isinstance(payload, dict) else None
    if isinstance(data, list):
        yield from ((row, CRYPTO) for row in data if isinstance(row, dict) and str(row.get("type")).endswith("wallet"))
    elif isinstance(data, dict) and isinstance(data.get("attributes"), dict):
        for group, below in data["attributes"].items():
            yield from ((row, str(group)) for row in _listed(below))


def _listed(node: Any) -> Iterator[Mapping[str, Any]]:
    """Wallets in the collections below a group: `{"attributes": {"wallets": […]}}` at any depth."""
    if not isinstance(node, dict):
        return
    rows = node.get("wallets")
    if isinstance(rows, list):
        yield from (row for row in rows if isinstance(row, dict))
        return
    for below in node.values():
        yield from _listed(below)


def joined(context: Context, evidence: Sequence[Evidence]) -> Page:
    """A page of movements or trades, with the wallets that name their assets."""
    page = evidence[0]
    body = expect_dict(decode(page), page, where="the answer")
    rows = expect_list(body.get("data"), page, where="data")
    names = names_in(evidence[1:])
    read = _trade if context.kind == "trades" else _movement
    claims: list[Claim] = []
    gaps = read_list(context, rows, lambda row: claims.append(read(context, names, row)))
    times = [claim.at for claim in claims]
    seen = Seen(rows=len(rows), oldest=min(times, default=None), newest=max(times, default=None), next=_next_of(body))
    return Page(seen=seen, claims=claims, gaps=gaps)


def _next_of(body: Mapping[str, Any]) -> str:
    """The cursor of the next page. The last page may state one too, but it links to none."""
    meta, links = body.get("meta"), body.get("links")
    if not isinstance(meta, dict) or not isinstance(links, dict) or not links.get("next"):
        return ""
    return str(meta.get("next_cursor") or "")


def _movement(context: Context, names: Names, row: Mapping[str, Any]) -> Claim:
    """One row of a wallet's list: what that wallet gained or lost, and its fee beside it."""
    about, row_id = row["attributes"], row["id"]
    family = "fiat" if row["type"] == "fiat_wallet_transaction" else "cryptocoin"
    if "transaction" not in row["type"]:
        raise InvalidField("type: expected a transaction")
    token, wallet = _where(context, names, about, family)
    if about["in_or_out"] not in ("incoming", "outgoing"):
        raise InvalidField("in_or_out: expected incoming or outgoing")
    sign = 1 if about["in_or_out"] == "incoming" else -1
    amount, fee = parse_amount(about["amount"]), parse_amount(about.get("fee") or "0", where="fee")
    # An id that was blanked out in a recording is told apart by its asset.
    name = f"{family}/{row_id}/{context.codes.code_of(token)}"
    trade = about.get("trade")
    shared, key = _event_of(trade, family, about, name)
    kind: Kind = "fee" if about.get("is_bfc") or about.get("is_metal_storage_fee") else _KINDS.get(str(about["type"]), "other")
    counterparty = str(about.get("recipient") or "") or None if kind == "withdrawal" else None
    fee_key = f"fee/{name}"
    if about.get("is_bfc"):
        fee_key = _best_of(about)
        shared += (f"bitpanda:{fee_key}",)
    return told(
        context,
        ref=name,
        at=_moment(about),
        kind=kind,
        legs=(Leg(key, wallet, token, sign * amount, "principal", counterparty), Leg(fee_key, wallet, token, -fee, "fee")),
        label=_label(about),
        status=_STATUSES.get(str(about["status"]), "pending"),
        book=BOOK,
        shared=shared,
        name=trade.get("id") if isinstance(trade, dict) else row_id,
    )


def _event_of(trade: Any, family: str, about: Mapping[str, Any], name: str) -> tuple[tuple[str, ...], str]:
    """The names that a movement shares with the others of its event, and the key of its leg."""
    if isinstance(trade, dict) and trade.get("id"):
        return (f"bitpanda:trade/{trade['id']}",), f"{'quote' if family == 'fiat' else 'base'}/{trade['id']}"
    related = about.get("related_wallet_transaction_id") or about.get("related_fiat_wallet_transaction_id")
    if related:
        # Both sides of a move name each other: the pair is named by the two in order.
        row_id = name.split("/")[1]
        return (f"bitpanda:move/{'/'.join(sorted((row_id, str(related))))}",), name
    return (), name


def _trade(context: Context, names: Names, row: Mapping[str, Any]) -> Claim:
    """A trade against money: `amount_fiat` is what the fiat wallet lost or gained; the fee may be paid in BEST beside it."""
    about, trade_id = row["attributes"], row["id"]
    if row["type"] != "trade" or about["type"] not in ("buy", "sell"):
        raise InvalidField("type: expected a trade that buys or sells")
    base, wallet = _where(context, names, about, "cryptocoin")
    quote, fiat = _where(context, names, about, "fiat")
    sign = 1 if about["type"] == "buy" else -1
    amount, money = (parse_amount(about[name], where=name) for name in ("amount_cryptocoin", "amount_fiat"))
    best = list(_best(context, names, about))
    legs = [
        Leg(f"base/{trade_id}", wallet, base, sign * amount),
        Leg(f"quote/{trade_id}", fiat, quote, -sign * money),
        *best,
    ]
    return told(
        context,
        ref=f"trade/{trade_id}",
        at=_moment(about),
        kind="trade",
        legs=legs,
        label=_label(about),
        status=_STATUSES.get(str(about["status"]), "pending"),
        book=BOOK,
        shared=(f"bitpanda:trade/{trade_id}", *(f"bitpanda:{leg.key}" for leg in best)),
        name=trade_id,
    )


def _best(context: Context, names: Names, about: Mapping[str, Any]) -> Iterator[Leg]:
    """The fee that was paid in Bitpanda's own token, under the name that the wallet's row of it has too."""
    collection = about.get("best_fee_collection")
    paid = collection["attributes"].get("wallet_transaction") if isinstance(collection, dict) else None
    if isinstance(paid, dict):
        detail = paid["attributes"]
        token, wallet = _where(context, names, detail, "cryptocoin")
        yield Leg(_best_of(detail), wallet, token, -parse_amount(detail["fee"], where="fee"), "fee")


def _best_of(about: Mapping[str, Any]) -> str:
    """The name of a fee in BEST: the trade does not state the id of the wallet's row, only its time and size."""
    return f"best/{_moment(about)}/{canonical(parse_amount(about['fee'], where='fee'))}"


def _where(context: Context, names: Names, about: Mapping[str, Any], family: str) -> tuple[TokenId, str]:
    """Token and wallet of one side of a row. Raises: InvalidField for an asset that nothing names."""
    wallet_id = about.get("fiat_wallet_id" if family == "fiat" else "wallet_id")
    symbol, place = names.places.get(str(wallet_id), ("", "fiat" if family == "fiat" else "spot"))
    number = str(about.get(f"{family}_id"))
    known = about.get(f"{family}_symbol") or symbol or names.symbols.get((family, number))
    if family == "fiat":
        known = known or _FIAT_NUMBERS.get(number)
    if not known:
        raise InvalidField(f"{family}_id: no wallet names the asset with number {number[:20]}")
    return context.codes.token(known), place


def _moment(about: Mapping[str, Any]) -> EpochMs:
    stated = about["time"]
    return from_seconds(stated["unix"]) if stated.get("unix") else from_iso(stated["date_iso8601"])


def _label(about: Mapping[str, Any]) -> str:
    """The venue's word and its tags, such as `transfer reward`."""
    tags = [tag["attributes"].get("short_name") for tag in about.get("tags") or () if isinstance(tag, dict)]
    return " ".join(filter(None, (str(about["type"]), *map(str, tags))))


def _rows(evidence: Evidence) -> list[Any]:
    """The wallets in an answer. Raises: VenueBadResponse for one that lists none."""
    body = expect_dict(decode(evidence), evidence, where="the answer")
    return expect_list(body.get("data"), evidence, where="data")


def _grouped(evidence: Evidence) -> list[Any]:
    """The wallets in an answer that groups them, but for the group of coins, which has a call of its own."""
    body = expect_dict(decode(evidence), evidence, where="the answer")
    data = expect_dict(body.get("data"), evidence, where="data")
    expect_dict(data.get("attributes"), evidence, where="data.attributes")
    return [row for row, group in _wallets(body) if group != CRYPTO]


def _holds(place: str, family: str) -> Callable[[Context, Any], Iterable[Held]]:
    def read(context: Context, row: Mapping[str, Any]) -> Iterable[Held]:
        about = row["attributes"]
        yield place, "spot", context.codes.token(about[f"{family}_symbol"]), parse_amount(about["balance"], where="balance")

    return read


QUIRKS = Quirks(
    snapshots={
        "balances": snapshots(
            Source(path_end="/wallets", rows_of=_rows, read=_holds("spot", "cryptocoin"), tells=(("spot", "spot"),)),
            Source(path_end="/asset-wallets", rows_of=_grouped, read=_holds("assets", "cryptocoin"), tells=(("assets", "spot"),)),
            Source(path_end="/fiatwallets", rows_of=_rows, read=_holds("fiat", "fiat"), tells=(("fiat", "spot"),)),
        )
    },
    joined={"transactions": joined, "trades": joined},
)
