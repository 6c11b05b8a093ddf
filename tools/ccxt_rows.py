"""Writes the rows of exchanges that are read through ccxt's unified methods, out of what ccxt states and our reviewed reads.

`python -m tools.ccxt_rows` makes `catalog/data/exchanges/<id>.toml` of each id in the reviewed list of reads that can be read so,
moves its reads into the row, and says why the others cannot. Rows that it made are made anew; those of people are left alone.
"""

import json
import logging
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import urlsplit

from tools.ccxt_cases import LOADERS
from tools.ccxt_signing import CREDENTIALS

import omnifolio.catalog
from omnifolio.catalog import exchanges, reads
from omnifolio.model.clock import DAY_MS
from omnifolio.venues.exchanges import lazy_ccxt, offline
from omnifolio.venues.exchanges.gate import endpoint_of
from omnifolio.venues.exchanges.unified import arguments, markets_of

DATA = Path(omnifolio.catalog.__file__).parent / "data"
SAME_ACCOUNT = {"binancecoinm": "binance", "binanceusdm": "binance", "kucoinfutures": "kucoin"}
"""Ids whose key and account are another id's, which has a row of its own."""
FIELDS: Mapping[str, tuple[str, str]] = {
    "apiKey": ("key", "API key"),
    "secret": ("secret", "API secret"),
    "password": ("passphrase", "API passphrase"),
    "uid": ("uid", "User id"),
    "accountId": ("account", "Account id"),
}
"""ccxt's name of a credential → our field and its label. Others - a login, a chain's private key - are never asked for."""
CONTRACTS = ("swap", "future", "option")
SCOPE = "BTC-USDT~BTCUSDT"
FLOOR_MS = 1_483_228_800_000
"""2017-01-01: from here on trades are asked for where nothing says how far back the exchange has them."""
LONG_DAYS = 3_650
"""A window or look-back of ten years and more is no limit."""
FIAT = (
    *("AED", "ARS", "AUD", "BRL", "CAD", "CHF", "COP", "CZK", "EUR", "GBP", "HKD", "IDR", "ILS", "INR", "JPY", "KRW", "MXN"),
    *("MYR", "NGN", "NZD", "PHP", "PLN", "RUB", "SGD", "THB", "TRY", "UAH", "USD", "VND", "ZAR"),
)


class Captured(Exception):
    """Raised in the place of sending."""


class Unreadable(Exception):
    """The exchange cannot be read by a generated row; says why."""


def probe(ccxt_id: str) -> Any:
    """An exchange object that signs with made-up credentials, remembers what it signed in `asked`, and sends nothing."""
    base: Any = offline.load(ccxt_id)

    class Probe(base):  # type: ignore[misc]  # ccxt is untyped
        asked: list[tuple[tuple[str, str, str], str]]

        def sign(self, path: str, api: Any = "public", method: str = "GET", params: Any = None, *args: Any) -> Any:
            signed = super().sign(path, api, method, params or {}, *args)
            self.asked.append((endpoint_of(method, api, path), str(signed["url"])))
            return signed

        async def fetch(self, *args: Any) -> NoReturn:
            raise Captured

        async def load_markets(self, *args: Any) -> Any:
            return self.markets

    found = Probe({"enableRateLimit": False})
    found.asked = []
    found.set_markets(markets_of({"symbol": SCOPE}))
    for name, value in CREDENTIALS.items():
        setattr(found, name, value)

    async def nothing(*args: object) -> list[bool]:
        return [False, True]

    for name in LOADERS:
        if hasattr(found, name):
            setattr(found, name, nothing)
    return found


def first_path(ccxt_id: str, method: str, question: Mapping[str, str]) -> str:
    """The path that a unified method asks first; "" where it asks nothing, or something that is not on our list."""
    exchange = probe(ccxt_id)
    try:
        offline.result(getattr(exchange, method), *arguments(method, question))
    except Captured:
        endpoint, url = exchange.asked[0]
        return urlsplit(url).path if endpoint in reads.allowed(ccxt_id) else ""
    except Exception:  # whatever it misses, it cannot be asked so
        return ""
    return ""


def bases(ccxt_id: str) -> dict[tuple[str, str, str], str]:
    """The URL under which each allowed path hangs. Raises: Unreadable where one is not built of its path."""
    found = {}
    for endpoint in sorted(reads.allowed(ccxt_id)):
        method, group, path = endpoint
        exchange = probe(ccxt_id)
        params: dict[str, Any] = dict.fromkeys(re.findall(r"\{([^{}]+)\}", path), "1")
        tail = "/" + exchange.implode_params(path, params)
        try:
            signed = exchange.sign(path, group.split("/"), method, params)
        except Exception as error:
            raise Unreadable(f"{method} {group} {path} cannot be signed offline ({type(error).__name__})") from None
        url = str(signed["url"]).partition("?")[0]
        if not url.startswith("https://") or not url.endswith(tail):
            raise Unreadable(f"{method} {group} {path} is not a path of its own")
        found[endpoint] = url.removesuffix(tail)
    return found


def streams(ccxt_id: str) -> Iterator[dict[str, Any]]:
    """What can be read. Raises: Unreadable where not even balances can."""
    exchange = lazy_ccxt.load(ccxt_id)({})
    has = exchange.has
    path = first_path(ccxt_id, "fetch_balance", {})
    if not path:
        raise Unreadable("its balances cannot be asked for with made-up credentials")
    yield {"kind": "balances", "calls": ["fetch_balance"], "paths": [path], "pager": "once", "is_balances": True}
    if has.get("spot") and has.get("fetchMyTrades"):
        yield from _trades(ccxt_id, exchange)
    kinds = {"deposits": "fetch_deposits", "withdrawals": "fetch_withdrawals"}
    paths = {kind: first_path(ccxt_id, call, {}) for kind, call in kinds.items() if has.get(f"fetch{kind.title()}") is True}
    for kind, place in paths.items():
        if place:
            yield _movements(kind, kinds[kind], place)
    if not any(paths.values()):
        for name, call in (
            ("fetchDepositsWithdrawals", "fetch_deposits_withdrawals"),
            ("fetchTransactions", "fetch_transactions"),
        ):
            place = first_path(ccxt_id, call, {}) if has.get(name) is True else ""
            if place:
                yield _movements("transfers", call, place)
                return


def _movements(kind: str, call: str, path: str) -> dict[str, Any]:
    return {"kind": kind, "calls": [call], "paths": [path], "pager": "since", "overlap_ms": DAY_MS}


def _trades(ccxt_id: str, exchange: Any) -> Iterator[dict[str, Any]]:
    """The fills of spot markets: of all at once where one question brings them, else market by market."""
    told = ((exchange.features or {}).get("spot") or {}).get("fetchMyTrades") or {}
    row: dict[str, Any] = {"kind": "trades", "calls": ["fetch_my_trades"], "overlap_ms": DAY_MS, "start_param": "since"}
    if told.get("limit"):
        row |= {"limit_param": "limit", "page_rows": int(told["limit"])}
    window, back = told.get("untilDays") or LONG_DAYS, told.get("daysBack") or LONG_DAYS
    row["floor_ms"] = FLOOR_MS
    if back < LONG_DAYS:
        row["look_back_ms"] = int(back * DAY_MS)
    if window < LONG_DAYS and told.get("limit"):
        row |= {"pager": "window", "end_param": "until", "window_ms": int(window * DAY_MS)}
    else:
        row["pager"] = "since"
    since = {"since": str(FLOOR_MS)}
    has_contracts = any(exchange.has.get(kind) for kind in CONTRACTS)
    path = "" if has_contracts or told.get("symbolRequired") else first_path(ccxt_id, "fetch_my_trades", since)
    if path:
        yield {**row, "paths": [path]}
        return
    path = first_path(ccxt_id, "fetch_my_trades", {"symbol": SCOPE, **since})
    markets = first_path(ccxt_id, "fetch_markets", {})
    if path and markets:
        yield {**row, "paths": [path], "is_per_scope": True, "scope_param": "symbol"}
        for scope in ("held", "swept"):
            yield {"kind": "markets", "scope": scope, "calls": ["fetch_markets"], "paths": [markets], "pager": "scopes"}


def fields(ccxt_id: str) -> Iterator[tuple[str, str, str]]:
    """Target, name and label of each credential. Raises: Unreadable where one is asked that we never take."""
    needed = [name for name, is_needed in lazy_ccxt.load(ccxt_id)({}).requiredCredentials.items() if is_needed]
    strange = [name for name in needed if name not in FIELDS]
    if strange or not needed:
        raise Unreadable(f"it wants {', '.join(strange)}, which is never asked for" if strange else "it wants no credential")
    for name in FIELDS:
        if name in needed:
            yield (name, *FIELDS[name])


def row(ccxt_id: str) -> str:
    """The row as TOML. Raises: Unreadable."""
    if ccxt_id in SAME_ACCOUNT:
        raise Unreadable(f"its account is read as {SAME_ACCOUNT[ccxt_id]}")
    exchange = lazy_ccxt.load(ccxt_id)({})
    entered = list(fields(ccxt_id))
    placed = bases(ccxt_id)
    groups: dict[str, str] = {}
    others: dict[str, str] = {}
    for endpoint, url in placed.items():
        if groups.setdefault(endpoint[1], url) != url:
            others[" ".join(endpoint)] = url
    read = list(streams(ccxt_id))
    documentation = exchange.urls.get("doc") or exchange.urls.get("www")
    page = documentation if isinstance(documentation, str) else documentation[0]
    lines = ["# Made by `python -m tools.ccxt_rows`. Read through ccxt's own methods, best effort: balances, trades, deposits,"]
    lines += ["# withdrawals, where each can be asked for.", _pair("id", ccxt_id), _pair("display_name", exchange.name)]
    lines += [_pair("ccxt_id", ccxt_id), _pair("documentation", page), _pair("quirks", "unified")]
    lines += ["allowed = [", *(f"  {json.dumps(list(endpoint))}," for endpoint in sorted(placed)), "]"]
    lines += ["", "[groups]", *(_pair(name, url, quoted=True) for name, url in groups.items())]
    if others:
        lines += ["", "[bases]", *(_pair(name, url, quoted=True) for name, url in others.items())]
    for target, name, label in entered:
        lines += ["", "[[fields]]", _pair("name", name), _pair("target", target), _pair("label", label)]
        if name == "key":
            lines.append(_pair("hint", f"Make a key at {exchange.name} that can only read: no trading, no withdrawals."))
    lines += ["", "[clock]", _pair("nonce", "increasing")]
    lines += ["", "[reading]", f"fiat = {json.dumps(list(FIAT))}", "", "[reading.wallets]"]
    lines.append(_pair("main", "Account") if exchange.has.get("spot") else _pair("derivatives", "Derivatives"))
    for stream in read:
        lines += ["", "[[reading.streams]]", *(_pair(name, value) for name, value in stream.items())]
    return "\n".join(lines) + "\n"


def _pair(name: str, value: Any, *, quoted: bool = False) -> str:
    return f"{json.dumps(name) if quoted else name} = {json.dumps(value, ensure_ascii=False)}"


def main() -> None:
    """Writes every row that can be made, and says why the others cannot."""
    logging.disable(logging.CRITICAL)
    policy = DATA / "policy" / "ccxt_reads.toml"
    text = policy.read_text(encoding="utf-8")
    made_before = [name for name in exchanges.ids() if exchanges.load(name).quirks == "unified"]
    for ccxt_id in sorted({*reads.traced().reads, *made_before}):
        try:
            made = row(ccxt_id)
        except Unreadable as why:
            print(f"{ccxt_id}: {why}")
            continue
        (DATA / "exchanges" / f"{ccxt_id}.toml").write_text(made, encoding="utf-8")
        text = re.sub(rf"^{re.escape(ccxt_id)} = \[\n(?:  .*\n)*\]\n", "", text, flags=re.MULTILINE)
    policy.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
