"""One account as Coinbase shows it: v2 accounts (one a currency) with their transactions, and v3 fills."""

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from omnifolio_sandbox.amounts import exact, fixed, near, text
from omnifolio_sandbox.world.book import Event
from omnifolio_sandbox.world.coinbase import PRODUCTS, STAKED, uuid_of
from omnifolio_sandbox.world.dice import number
from omnifolio_sandbox.world.prices import token_price
from omnifolio_sandbox.world.tokens import ASSETS, FIAT, code_of, kind_of, ticker_of
from omnifolio_sandbox.world.world import Account

STAKED_CODE = "ETH2"  # the account of staked ether
EXPONENTS = {"USD": 2, "EUR": 2, "USDC": 6, "ADA": 6, "ALGO": 6}
NEVER_HELD = ("XLM", "ZEC", "BCH", "ATOM")
HELD_CODE = "BTC"
Row = dict[str, Any]


def stamp(at_ms: int) -> str:
    """A v2 time: whole seconds, UTC."""
    return datetime.fromtimestamp(at_ms // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def fine_stamp(event: Event) -> str:
    """A v3 time: the same second with microseconds."""
    return stamp(event.at).replace("Z", f".{number('micro', event.ref) % 1_000_000:06d}Z")


class CoinbaseBook:
    """Views of one account at one instant; build it again when the instant or the account changes."""

    def __init__(self, account: Account, at_ms: int) -> None:
        self.account = account
        self.user = account.user
        self.at_ms = at_ms
        self.rows: dict[str, list[Row]] = {}  # code -> v2 transactions, oldest first
        self.first_seen: dict[str, int] = {}
        events = sorted(account.events(at_ms), key=lambda event: event.at)
        self.fills = [event for event in events if event.kind == "fill"]
        with exact():
            for event in events:
                for code, row in SHAPES[event.kind](event):
                    self._add(event, code, row)
            self.balances = {
                STAKED_CODE if key[:2] == STAKED else key[2]: amount for key, amount in account.balances(at_ms).items()
            }

    def _add(self, event: Event, code: str, row: Row) -> None:
        self.first_seen.setdefault(code, event.at)
        path = f"/v2/accounts/{self.account_id(code)}/transactions/{row['id']}"
        amount = Decimal(row["amount"]["amount"])
        native = row.pop("native", None)
        if native is None:
            price = token_price("coinbase", "ETH" if code == STAKED_CODE else code, event.at)
            native = near(amount * price, 2) if price is not None else Decimal(0)
        whole: Row = {
            "id": row["id"], "type": row["type"], "status": row.get("status", "completed"), "amount": row["amount"],
            "native_amount": {"amount": fixed(native, 2), "currency": "USD"}, "description": None,
            "created_at": stamp(event.at), "updated_at": stamp(event.at + 60_000), "resource": "transaction",
            "resource_path": path, "instant_exchange": False,
        }  # fmt: skip
        self.rows.setdefault(code, []).append(whole | {key: value for key, value in row.items() if key not in whole})

    def account_id(self, code: str) -> str:
        """The account's UUID; accounts of currencies that were never held have the code as their id."""
        return code if code in NEVER_HELD else uuid_of("account", self.user, code)

    def codes(self) -> list[str]:
        """Currencies with an account: fiat first, then those ever held, then some that never were."""
        held = sorted(self.first_seen, key=lambda code: (kind_of("coinbase", _listed(code)) != FIAT, code))
        return [*held, *NEVER_HELD]

    def code_of_account(self, account_id: str) -> str | None:
        """The currency of an account, by its id or by its code."""
        return next((code for code in self.codes() if account_id in {self.account_id(code), code}), None)

    def accounts(self) -> list[Row]:
        """v2 accounts."""
        return [self.account_row(code) for code in self.codes()]

    def account_row(self, code: str) -> Row:
        """One v2 account."""
        seen = self.first_seen.get(code)
        created = None if seen is None else stamp(seen)
        amount = self.balances.get(code, Decimal(0))
        return {
            "id": self.account_id(code),
            "name": "Cash (USD)" if code == "USD" else f"{code} Wallet",
            "primary": code in {"BTC", "USD"},
            "type": "fiat" if _is_fiat(code) else "wallet",
            "currency": currency_row(code),
            "balance": {"amount": padded(code, amount), "currency": code},
            "created_at": created,
            "updated_at": created,
            "resource": "account",
            "resource_path": f"/v2/accounts/{self.account_id(code)}",
            "allow_deposits": True,
            "allow_withdrawals": code != STAKED_CODE,
        }

    def brokerage_accounts(self) -> list[Row]:
        """v3 accounts; part of the bitcoin is held by a resting order."""
        rows = []
        for code in self.codes():
            amount = self.balances.get(code, Decimal(0))
            with exact():
                hold = near(amount / 10, 6) if code == HELD_CODE else Decimal(0)
                free = amount - hold
            seen = self.first_seen.get(code, 1_600_000_000_000)
            rows.append(
                {
                    "uuid": uuid_of("account", self.user, code), "name": f"{code} Wallet", "currency": code,
                    "available_balance": {"value": text(free), "currency": code}, "default": True, "active": True,
                    "created_at": stamp(seen), "updated_at": stamp(seen), "deleted_at": None,
                    "type": "ACCOUNT_TYPE_FIAT" if _is_fiat(code) else "ACCOUNT_TYPE_CRYPTO", "ready": True,
                    "hold": {"value": text(hold), "currency": code},
                    "retail_portfolio_id": uuid_of("portfolio", self.user), "platform": "ACCOUNT_PLATFORM_CONSUMER",
                }
            )  # fmt: skip
        return rows


def _listed(code: str) -> str:
    return "ETH" if code == STAKED_CODE or code in NEVER_HELD else code


def _is_fiat(code: str) -> bool:
    return code in {"USD", "EUR"}


def padded(code: str, amount: Decimal) -> str:
    """An amount with at least the decimals that the venue prints for this currency."""
    least = EXPONENTS.get(code, 8)
    exponent = amount.normalize().as_tuple().exponent
    return fixed(amount, max(least, -exponent if isinstance(exponent, int) else 0))


def currency_row(code: str) -> Row:
    """A currency as v2 accounts show it."""
    ticker = ticker_of("coinbase", code)
    name = ASSETS[ticker].name if ticker in ASSETS else code
    row: Row = {
        "code": code,
        "name": "Ethereum 2" if code == STAKED_CODE else name,
        "color": f"#{number('color', code) % 0xFFFFFF:06X}",
        "sort_index": number("sort", code) % 500,
        "exponent": EXPONENTS.get(code, 8),
        "type": "fiat" if _is_fiat(code) else "crypto",
    }
    if not _is_fiat(code):
        row |= {"address_regex": "^.+$", "asset_id": uuid_of("asset", code), "slug": name.lower().replace(" ", "-")}
    return row


def products() -> list[tuple[str, str, str, int, int]]:
    """Product id, base code, quote code, decimals of price and of size."""
    return [
        (f"{code_of('coinbase', base)}-{quote}", code_of("coinbase", base), quote, price_places, size_places)
        for base, quote, price_places, size_places in PRODUCTS
    ]


def money(code: str, amount: Decimal) -> dict[str, str]:
    """An amount with its currency."""
    return {"amount": padded(code, amount), "currency": code}


Rows = list[tuple[str, Row]]


def _plain(row_type: str) -> Callable[[Event], Rows]:
    def shape(event: Event) -> Rows:
        leg = event.legs[0]
        code = STAKED_CODE if leg.product == "staked" else leg.code
        type_ = event.facts.get("row_type", row_type)
        return [(code, {"id": event.ref, "type": type_, "amount": money(code, leg.amount)})]

    return shape


def _fiat(row_type: str) -> Callable[[Event], Rows]:
    def shape(event: Event) -> Rows:
        leg = event.legs[0]
        part = {"id": event.facts["pair"], "resource": row_type}
        return [(leg.code, {"id": event.ref, "type": row_type, "amount": money(leg.code, leg.amount), row_type: part})]

    return shape


def _network(event: Event, *, state: str) -> Row:
    network = event.facts["network"]
    row: Row = {"status": state, "name": network.coinbase_network, "network_name": network.coinbase_network}
    if "hash" in event.facts:
        row |= {"hash": event.facts["hash"], "transaction_url": network.explorer + event.facts["hash"]}
    return row


def _receive(event: Event) -> Rows:
    leg = event.legs[0]
    network = event.facts["network"]
    return [
        (
            leg.code,
            {
                "id": event.ref,
                "type": event.facts["row_type"],
                "amount": money(leg.code, leg.amount),
                "network": _network(event, state="confirmed"),
                "from": {"resource": f"{network.coinbase_network}_network", "currency": leg.code},
                "details": {"title": f"Received {leg.code}", "subtitle": "From external address"},
            },
        )
    ]


def _send(event: Event) -> Rows:
    facts = event.facts
    code = event.legs[0].code
    network = _network(event, state="confirmed") | {
        "transaction_fee": money(code, facts["fee"]),
        "transaction_amount": money(code, facts["amount"]),
        "confirmations": 120,
    }
    return [
        (
            code,
            {
                "id": event.ref,
                "type": "send",
                "amount": money(code, -(facts["amount"] + facts["fee"])),
                "network": network,
                "to": {"resource": "address", "address": facts["address"], "currency": code},
                "idem": facts["pair"],
                "details": {"title": f"Sent {code}", "subtitle": "To external address"},
            },
        )
    ]


def _failed_send(event: Event) -> Rows:
    facts = event.facts
    row = {
        "id": event.ref, "type": "send", "status": "failed", "amount": money(facts["code"], -facts["amount"]),
        "network": _network(event, state="failed"),
        "to": {"resource": "address", "address": facts["address"], "currency": facts["code"]},
    }  # fmt: skip
    return [(facts["code"], row)]


def _fill(event: Event) -> Rows:
    facts = event.facts
    sign = 1 if facts["buying"] else -1
    part = {
        "fill_price": text(facts["price"]),
        "product_id": facts["product"],
        "order_id": facts["order"],
        "commission": text(facts["fee"]),
        "order_side": "buy" if facts["buying"] else "sell",
    }
    base, quote = facts["base"], facts["quote"]
    paid = -sign * facts["cost"] - facts["fee"]
    row = {"type": "advanced_trade_fill", "advanced_trade_fill": part}
    return [
        (base, {"id": event.ref, "amount": money(base, sign * facts["size"]), **row}),
        (quote, {"id": facts["pair"], "amount": money(quote, paid), **row}),
    ]


def _deal(name: str, sign: int) -> Callable[[Event], Rows]:
    """The buy and sell buttons: the crypto row names the event, the dollar row repeats the deal."""

    def shape(event: Event) -> Rows:
        facts = event.facts
        part = {
            "id": facts["deal"],
            "resource": name,
            "fee": money("USD", facts["fee"]),
            "subtotal": money("USD", facts["subtotal"]),
            "total": money("USD", facts["total"]),
            "payment_method_name": "Cash (USD)",
        }
        crypto = {"id": event.ref, "type": name, "amount": money(facts["code"], sign * facts["amount"]), name: part}
        dollars = {"id": facts["pair"], "type": name, "amount": money("USD", -sign * facts["total"]), name: part}
        return [(facts["code"], {**crypto, "native": sign * facts["total"]}), ("USD", dollars)]

    return shape


def _convert(event: Event) -> Rows:
    rows: Rows = []
    for leg, row_id in zip(event.legs, (event.facts["first"], event.facts["pair"]), strict=True):
        trade = {"id": event.ref, "resource": "trade", "payment_method_name": f"{event.legs[0].code} Wallet"}
        rows.append((leg.code, {"id": row_id, "type": "trade", "amount": money(leg.code, leg.amount), "trade": trade}))
    return rows


def _staking(row_type: str) -> Callable[[Event], Rows]:
    def shape(event: Event) -> Rows:
        rows: Rows = []
        for leg, row_id in zip(event.legs, (event.ref, event.facts["pair"]), strict=True):
            code = STAKED_CODE if leg.product == "staked" else leg.code
            rows.append((code, {"id": row_id, "type": row_type, "amount": money(code, leg.amount)}))
        return rows

    return shape


SHAPES: dict[str, Callable[[Event], Rows]] = {
    "receive": _receive,
    "deposit": _receive,
    "send": _send,
    "failed_send": _failed_send,
    "fill": _fill,
    "buy": _deal("buy", 1),
    "sell": _deal("sell", -1),
    "convert": _convert,
    "stake": _staking("staking_transfer"),
    "unstake": _staking("unstaking_transfer"),
    "reward": _plain("staking_reward"),
    "fiat_deposit": _fiat("fiat_deposit"),
    "fiat_withdrawal": _fiat("fiat_withdrawal"),
}
