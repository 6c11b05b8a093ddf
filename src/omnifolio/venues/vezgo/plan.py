"""Where facts that Vezgo tells of an account belong with us: its wallets, its tokens, its words.

A plan is made once for an account and stored with each of its pages, so that they can be decoded again from the evidence alone.
"""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from msgspec import Struct

from omnifolio.catalog import exchanges
from omnifolio.model.errors import InvalidField
from omnifolio.model.facts import Kind, Product
from omnifolio.model.tokens import TokenFacts, TokenId, TokenKind, token_id, venue_token
from omnifolio.venues.exchanges.codes import Codes
from omnifolio.venues.files.reader import FIAT

PLAN = "plan"
"""The evidence's parameter that holds the plan (JSON)."""
STAKED = ".staked"
SLUG = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
WALLET_ID_CHARS_MAX = 120
ADDRESS_CHARS_MAX = 200
NAME_CHARS_MAX = 100

WALLETS: Mapping[str, tuple[str, ...]] = {
    "cash": ("spot",),
    "spot": ("spot",),
    "main": ("spot",),
    "trading": ("spot",),
    "funding": ("funding",),
    "earn": ("earn",),
    "savings": ("earn",),
    "staking": ("earn",),
    "margin": ("margin",),
    "isolated": ("isolated",),
    "futures": ("usdm", "futures"),
    "usdm": ("usdm",),
    "coinm": ("coinm",),
    "vault": ("vault",),
}
"""Words in Vezgo's wallet ids → our keys of the wallets that they mean, the likeliest first."""

KINDS: Mapping[str, Kind] = {
    "deposit": "deposit",
    "withdrawal": "withdrawal",
    "trade": "trade",
    "staking": "staking",
    "unstaking": "unstaking",
    "reward": "reward",
    "bonus": "airdrop",
}
KINDS_BY_SUBTYPE: Mapping[str, Kind] = {
    "liquidation": "liquidation",
    "staking_reward": "staking_reward",
    "interest_income": "interest",
    "distribution": "airdrop",
    "cashback": "cashback",
    "rebate": "rebate",
    "referral_bonus": "referral",
    "refund": "refund",
    "fees": "fee",
    "fork": "fork",
    "mining": "mining",
}


class Plan(Struct, frozen=True, kw_only=True):
    """One account's translation. `wallets` are Vezgo's wallet ids → our keys. For an account on a chain: `chain` is its CAIP-2
    id, `coin` the token id of its own coin, `coin_ticker` that coin's ticker; all "" elsewhere."""

    wallets: Mapping[str, str] = {}
    chain: str = ""
    coin: str = ""
    coin_ticker: str = ""

    def text(self) -> str:
        """The plan as it is stored."""
        told = {"wallets": dict(self.wallets), "chain": self.chain, "coin": self.coin, "coin_ticker": self.coin_ticker}
        return json.dumps({name: value for name, value in told.items() if value}, separators=(",", ":"), sort_keys=True)

    def wallet(self, told: object, venue: str) -> str:
        """Our key of a wallet that Vezgo names; one that the account does not list is translated by its words."""
        name = text_of(told, WALLET_ID_CHARS_MAX)
        return self.wallets.get(name) or wallet_key(venue, name)


def plan_of(text: str) -> Plan:
    """The plan of a stored page."""
    return Plan(**json.loads(text or "{}"))


def wallet_keys(venue: str, wallets: Iterable[Mapping[str, Any]], *, chain: str) -> Mapping[str, str]:
    """Our key of each wallet of an account; on a chain an address is its own name (CAIP-10)."""
    found: dict[str, str] = {}
    for row in wallets:
        name, address = text_of(row.get("id"), WALLET_ID_CHARS_MAX), text_of(row.get("address"), ADDRESS_CHARS_MAX)
        if not name:
            continue
        if chain and address:
            found[name] = f"{chain}:{address.lower() if chain.startswith('eip155:') else address}"
        else:
            found[name] = wallet_key(venue, name)
    return found


def wallet_key(venue: str, name: str) -> str:
    """Our key of the wallet that Vezgo calls `binance:cash:usd`; its own id where the venue has no wallet of that word."""
    ours = _wallets_of(venue)
    words = name.lower().split(":")[1:] if ":" in name else [name.lower()]
    for word in words:
        for key in (word, *WALLETS.get(word, ())):
            if key in ours:
                return key
    return name or next(iter(ours), "spot")


def _wallets_of(venue: str) -> tuple[str, ...]:
    return tuple(exchanges.load(venue).reading.wallets) if venue in exchanges.ids() else ("spot",)


class Names:
    """The tokens of one account: what Vezgo calls them → token ids, and what was learned of each on the way."""

    def __init__(self, venue: str, plan: Plan) -> None:
        self._venue, self._plan = venue, plan
        self._codes, self._by_ticker = _codes(venue)
        self.facts: dict[TokenId, TokenFacts] = {}

    def token(self, row: Mapping[str, Any]) -> tuple[TokenId, Product]:
        """The token of a part, fee or balance, and whether it lies there as staked. Raises: InvalidField."""
        ticker, code = text_of(row.get("ticker"), NAME_CHARS_MAX), text_of(row.get("provider_ticker"), NAME_CHARS_MAX)
        product: Product = "spot"
        if code.endswith(STAKED) or ticker.endswith(STAKED) or row.get("asset_type") == "staked":
            product = "staked"
            ticker, code = ticker.removesuffix(STAKED), code.removesuffix(STAKED)
        if not (ticker or code):
            raise InvalidField("it names no ticker")
        found = self._on_chain(row, ticker or code) if self._plan.chain else self._at_venue(row, ticker, code)
        return found, product

    def _at_venue(self, row: Mapping[str, Any], ticker: str, code: str) -> TokenId:
        if not self._codes.is_known(code):
            code = self._by_ticker.get(ticker) or code or ticker
        found = self._codes.token(code)
        if found not in self.facts:
            said = self._codes.facts(found)
            kind: TokenKind = "fiat" if row.get("asset_type") in ("cash", "cash_equivalent") else said.kind
            shown = said.ticker if self._codes.is_known(code) else ticker or said.ticker
            self.facts[found] = TokenFacts(id=found, ticker=shown, name=text_of(row.get("name"), NAME_CHARS_MAX), kind=kind)
        return found

    def _on_chain(self, row: Mapping[str, Any], ticker: str) -> TokenId:
        contract, chain = text_of(row.get("ticker_address"), ADDRESS_CHARS_MAX), self._plan.chain
        if contract and chain.startswith("eip155:"):
            found = token_id(f"{chain}/erc20:{contract.lower()}")
        elif not contract and ticker == self._plan.coin_ticker:
            found = token_id(self._plan.coin)
        else:
            found = venue_token(self._venue, contract or ticker)
        self.facts.setdefault(found, TokenFacts(id=found, ticker=ticker, name=text_of(row.get("name"), NAME_CHARS_MAX)))
        return found


def _codes(venue: str) -> tuple[Codes, Mapping[str, str]]:
    """The venue's codes, and the code of each ticker that is spelt otherwise."""
    if venue not in exchanges.ids():
        return Codes(venue, aliases={}, tickers={}, fiat=frozenset(FIAT)), {}
    reading = exchanges.load(venue).reading
    codes = Codes(venue, aliases=reading.aliases, tickers=reading.tickers, fiat=frozenset(reading.fiat))
    return codes, {ticker: code for code, ticker in reversed(list(reading.tickers.items()))}


def text_of(value: object, most: int) -> str:
    """What can be shown and stored of a text: no control characters, at most so many; "" for what is none."""
    return "".join(filter(str.isprintable, value[: 2 * most])).strip()[:most] if isinstance(value, str) else ""


def rows_of(row: Mapping[str, Any], name: str) -> list[Any]:
    """A member that should be a list; [] for what is none."""
    found = row.get(name)
    return found if isinstance(found, list) else []
