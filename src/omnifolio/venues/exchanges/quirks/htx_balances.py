"""HTX's balances: one answer for each account of the user, and one for each kind of contract.

An account's rows say by their type whether an amount is held, lent or owed. A wallet is told when every account of it has a whole
answer: what is missing is a gap, never an empty wallet. Contracts count without what is not realised yet.
Source: huobiapi.github.io/docs/spot/v1/en (accounts, balance), docs/dm and coin_margined_swap (account information), ccxt 4.5.90
for `v5/account/balance`.
"""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from omnifolio.model.amounts import parse_amount, total
from omnifolio.model.errors import InvalidField, VenueBadResponse
from omnifolio.model.facts import Balance, Evidence, Gap, Product, Snapshot
from omnifolio.model.tokens import TokenId
from omnifolio.venues.contract import received_at
from omnifolio.venues.exchanges.answers import Context, Page, Seen, decode, expect_dict, expect_list, read_list
from omnifolio.venues.exchanges.codes import Codes

_WALLETS: Mapping[str, str] = {
    "spot": "spot",
    "otc": "otc",
    "point": "point",
    "margin": "margin",
    "super-margin": "margin",
    "cross-margin": "margin",
    "borrow": "lending",
    "grid-trading": "grid",
    "deposit-earning": "earn",
    "minepool": "earn",
}
_PRODUCTS: Mapping[str, Product] = {"otc": "funding", "margin": "margin", "lending": "lent", "earn": "earn"}
"""What is held in a wallet; it is spot in all others."""
HELD = frozenset({"trade", "frozen", "lock", "bank"})
OWED = frozenset({"loan", "interest"})
UNUSED = frozenset({"transfer-out-available", "loan-available"})
"""What could be moved or borrowed, not what is there."""

Key = tuple[str, Product]
Held = dict[Key, dict[TokenId, list[Decimal]]]


def data_of(evidence: Evidence) -> tuple[Any, Mapping[str, Any]]:
    """The `data` of an answer and the whole of it. Raises: VenueBadResponse."""
    body = expect_dict(decode(evidence), evidence, where="the answer")
    if body.get("status", "ok") != "ok" or str(body.get("code", 200)) != "200" or body.get("data") is None:
        raise VenueBadResponse(f"{evidence.request}: the venue answered without data")
    return body["data"], body


def rows_of(evidence: Evidence) -> list[Any]:
    """The rows of an answer. Raises: VenueBadResponse."""
    return expect_list(data_of(evidence)[0], evidence, where="data")


def code_of(raw: Any) -> str:
    """A currency's code: HTX writes it in lower case for spot and in upper case for contracts. Raises: InvalidField."""
    if not isinstance(raw, str) or not raw.strip():
        raise InvalidField(f"currency: expected text, got {type(raw).__name__}")
    return raw.upper()


def wallet_of(account: str) -> str:
    """The wallet of an account's type; types that nobody has described share one."""
    return _WALLETS.get(account, "other")


def product_of(wallet: str) -> Product:
    """What is held in a wallet."""
    return _PRODUCTS.get(wallet, "spot")


def accounts_of(answers: Sequence[Evidence]) -> Iterator[tuple[str, str]]:
    """Id and type of each account in the list of accounts, whichever of the answers it is. Raises: VenueBadResponse."""
    for item in answers:
        data, _ = data_of(item)
        for row in data if isinstance(data, list) else ():
            if isinstance(row, dict) and "list" not in row and row.get("id") and isinstance(row.get("type"), str):
                yield str(row["id"]), row["type"]


def balances(context: Context, evidence: Sequence[Evidence]) -> Page:
    """One snapshot of each product that is told completely. Raises: VenueBadResponse when no answer can be read."""
    gaps: list[Gap] = []
    held: Held = {}
    asked: dict[str, str] = {}
    answered: set[str] = set()
    spoilt: set[str] = set()
    for item in evidence:
        try:
            data, _ = data_of(item)
        except VenueBadResponse as error:
            if len(evidence) == 1:
                raise
            gaps.append(Gap(stream=context.stream, code=error.code, text=error.message))
            continue
        if isinstance(data, dict) and isinstance(data.get("list"), list):
            wallet = wallet_of(str(data.get("type")))
            answered.add(str(data.get("id")))
            bad = _account(context, data, wallet, held)
        elif isinstance(data, dict) and isinstance(data.get("details"), list):
            wallet, bad = "usdt-futures", _linear(context, data["details"], held)
        elif isinstance(data, list) and any(isinstance(row, dict) and "margin_static" in row for row in data):
            wallet = "coin-swaps" if any("contract_code" in row for row in data if isinstance(row, dict)) else "coin-futures"
            bad = _inverse(context, data, wallet, held)
        else:
            asked |= dict(accounts_of((item,)))
            continue
        gaps += bad
        if bad:
            spoilt.add(wallet)
    spoilt |= {wallet_of(account) for number, account in asked.items() if number not in answered}
    at = received_at(evidence)
    snapshots = [
        Snapshot(wallet=wallet, product=kind, at=at, balances=_balances(rows), evidence=0)
        for (wallet, kind), rows in held.items()
        if wallet not in spoilt
    ]
    return Page(seen=Seen(rows=len(snapshots)), snapshots=snapshots, gaps=gaps)


def _account(context: Context, data: Mapping[str, Any], wallet: str, held: Held) -> list[Gap]:
    kind = product_of(wallet)
    kinds: tuple[Product, ...] = (kind, "debt") if wallet == "margin" else (kind,)
    for each in kinds:
        held.setdefault((wallet, each), {})

    def read(row: Mapping[str, Any]) -> None:
        word, amount = row["type"], parse_amount(row["balance"], where="balance")
        if word in UNUSED or not amount:
            return
        if word in HELD:
            _add(held, (wallet, kind), context.codes, row["currency"], amount)
        elif word in OWED:
            _add(held, (wallet, "debt"), context.codes, row["currency"], -abs(amount))
        elif word == "lending":
            _add(held, (wallet, "lent"), context.codes, row["currency"], amount)
        else:
            raise InvalidField(f"type: {str(word)[:24]!r} is not known")

    return read_list(context, data["list"], read)


def _linear(context: Context, rows: Sequence[Any], held: Held) -> list[Gap]:
    """Contracts with USDT: the currency's equity without its unrealised profit."""
    held.setdefault(("usdt-futures", "collateral"), {})

    def read(row: Mapping[str, Any]) -> None:
        equity = parse_amount(row["equity"], where="equity")
        profit = parse_amount(row["profit_unreal"], where="profit_unreal")
        _add(held, ("usdt-futures", "collateral"), context.codes, row["currency"], total((equity, -profit)))

    return read_list(context, rows, read)


def _inverse(context: Context, rows: Sequence[Any], wallet: str, held: Held) -> list[Gap]:
    """Contracts with coins: the static margin of each coin."""
    held.setdefault((wallet, "collateral"), {})

    def read(row: Mapping[str, Any]) -> None:
        amount = parse_amount(row["margin_static"], where="margin_static")
        _add(held, (wallet, "collateral"), context.codes, row["symbol"], amount)

    return read_list(context, rows, read)


def _add(held: Held, key: Key, codes: Codes, raw: Any, amount: Decimal) -> None:
    held.setdefault(key, {}).setdefault(codes.token(code_of(raw)), []).append(amount)


def _balances(rows: Mapping[TokenId, list[Decimal]]) -> tuple[Balance, ...]:
    sums = ((token, total(amounts)) for token, amounts in sorted(rows.items()))
    return tuple(Balance(token, amount) for token, amount in sums if amount)
