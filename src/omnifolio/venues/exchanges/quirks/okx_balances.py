"""OKX's balances: the trading and funding accounts, trading bots, isolated margin, earn positions and loans.

`cashBal` is the cash of the trading account, borrowed money included as a negative amount; what a position has not realised is
no cash. Margin of isolated positions and the equity of bots left that cash and are purses of their own. BETH and OKSOL of the
staking products lie in the funding or trading account and are told there.
Source: okx.com/docs-v5, Get balance (trading and funding account), Get saving balance, Get active orders (on-chain earn),
Get loan info, Get sub-account list, Get sub-account trading and funding balance (a master's key may read them).
"""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from omnifolio.model.amounts import parse_amount, total
from omnifolio.model.errors import VenueBadResponse
from omnifolio.model.facts import Evidence
from omnifolio.venues.exchanges.answers import Context, decode, expect_dict, expect_list
from omnifolio.venues.exchanges.subaccounts import HeldThere, Purse
from omnifolio.venues.exchanges.subaccounts import balances as sub_balances
from omnifolio.venues.exchanges.telling import Held, Source, snapshots

SUB_CALLS = ("privateGetAccountSubaccountBalances", "privateGetAssetSubaccountBalances")


def rows_of(evidence: Evidence) -> list[Any]:
    """The `data` of an answer. Raises: VenueBadResponse when it carries an error or another form."""
    body = expect_dict(decode(evidence), evidence, where="the answer")
    if str(body.get("code", "0")) != "0":
        raise VenueBadResponse(f"{evidence.request}: the venue answered with an error")
    return expect_list(body.get("data"), evidence, where="data")


def amount_of(row: Mapping[str, Any], field: str) -> Decimal:
    """A field that OKX leaves empty where it does not apply. Raises: InvalidAmount."""
    return parse_amount(row.get(field) or "0", where=field)


def _details_of(evidence: Evidence) -> list[Any]:
    accounts = [expect_dict(row, evidence, where="data") for row in rows_of(evidence)]
    return [row for account in accounts for row in expect_list(account.get("details"), evidence, where="details")]


def _trading(context: Context, row: Mapping[str, Any]) -> Iterable[Held]:
    token, cash, liability = context.codes.token(row["ccy"]), _cash_of(row), amount_of(row, "liab")
    yield "trading", "spot", token, max(cash, Decimal(0))
    yield "trading", "debt", token, min(cash, -liability)
    yield "bots", "spot", token, amount_of(row, "stgyEq")
    yield "isolated", "collateral", token, total((amount_of(row, "isoEq"), -amount_of(row, "isoUpl")))


def _cash_of(row: Mapping[str, Any]) -> Decimal:
    """The cash of one currency. More that is frozen than there is equity lies outside of it, and counts too."""
    cash, frozen = parse_amount(row["cashBal"], where="cashBal"), amount_of(row, "frozenBal")
    equity = parse_amount(row.get("eq") or row["cashBal"], where="eq")
    return total((cash, frozen)) if frozen > max(cash, equity) >= 0 else cash


def _funding(context: Context, row: Mapping[str, Any]) -> Iterable[Held]:
    yield "funding", "funding", context.codes.token(row["ccy"]), parse_amount(row["bal"], where="bal")


def _savings(context: Context, row: Mapping[str, Any]) -> Iterable[Held]:
    """`amt` holds what was earned; that field tells a position from a movement."""
    parse_amount(row["earnings"], where="earnings")
    yield "earn", "earn", context.codes.token(row["ccy"]), parse_amount(row["amt"], where="amt")


def _staked(context: Context, row: Mapping[str, Any]) -> Iterable[Held]:
    for part in row["investData"]:
        yield "earn", "staked", context.codes.token(part["ccy"]), parse_amount(part["amt"], where="amt")


def _loans(context: Context, row: Mapping[str, Any]) -> Iterable[Held]:
    for part in row["collateralData"]:
        yield "loan", "collateral", context.codes.token(part["ccy"]), parse_amount(part["amt"], where="amt")
    for part in row["loanData"]:
        yield "loan", "debt", context.codes.token(part["ccy"]), -parse_amount(part["amt"], where="amt")


balances = snapshots(
    Source(
        path_end="/account/balance",
        rows_of=_details_of,
        read=_trading,
        tells=(("trading", "spot"), ("trading", "debt"), ("bots", "spot"), ("isolated", "collateral")),
    ),
    Source(path_end="/asset/balances", rows_of=rows_of, read=_funding, tells=(("funding", "funding"),)),
    Source(path_end="/savings/balance", rows_of=rows_of, read=_savings, tells=(("earn", "earn"),)),
    Source(path_end="/orders-active", rows_of=rows_of, read=_staked, tells=(("earn", "staked"),)),
    Source(path_end="/loan-info", rows_of=rows_of, read=_loans, tells=(("loan", "collateral"), ("loan", "debt"))),
)
"""One snapshot of each place that is told completely."""


# Sub-accounts.


def asked(call: str, answers: Sequence[Evidence]) -> list[dict[str, str]]:
    """The sub-accounts that the list names; everything else is asked once."""
    if call not in SUB_CALLS:
        return [{}]
    lists = [item for item in answers if item.request.endswith("/subaccount/list")]
    rows = [row for item in lists for row in rows_of(item) if isinstance(row, dict) and row.get("subAcct")]
    return [{"subAcct": str(row["subAcct"])} for row in rows]


def _purses(evidence: Evidence) -> Iterable[Purse]:
    name = evidence.params.get("subAcct", "")
    if evidence.request.endswith("/account/subaccount/balances"):
        yield Purse(name=name, place="trading", rows=_details_of(evidence), read=_sub_trading, tells=("spot", "debt"))
    elif evidence.request.endswith("/asset/subaccount/balances"):
        yield Purse(name=name, place="funding", rows=rows_of(evidence), read=_sub_funding, tells=("funding",))


def _sub_trading(context: Context, row: Mapping[str, Any]) -> Iterable[HeldThere]:
    token, cash, liability = context.codes.token(row["ccy"]), _cash_of(row), amount_of(row, "liab")
    yield "spot", token, max(cash, Decimal(0))
    yield "debt", token, min(cash, -liability)


def _sub_funding(context: Context, row: Mapping[str, Any]) -> Iterable[HeldThere]:
    yield "funding", context.codes.token(row["ccy"]), parse_amount(row["bal"], where="bal")


of_subaccounts = sub_balances(_purses)
