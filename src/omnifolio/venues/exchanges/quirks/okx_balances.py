"""OKX's balances: the trading and funding accounts, trading bots, isolated margin, earn positions and loans.

`cashBal` is the cash of the trading account, borrowed money included as a negative amount; what a position has not realised is
no cash. Margin of isolated positions and the equity of bots left that cash and are purses of their own. BETH and OKSOL of the
staking products lie in the funding or trading account and are told there.
Source: okx.com/docs-v5, Get balance (trading and funding account), Get saving balance, Get active orders (on-chain earn),
Get loan info.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from omnifolio.model.amounts import parse_amount, total
from omnifolio.model.errors import VenueBadResponse
from omnifolio.model.facts import Evidence
from omnifolio.venues.exchanges.answers import Context, Page, decode, expect_dict, expect_list
from omnifolio.venues.exchanges.sheets import Place, Sheet

CASH: Place = ("trading", "spot")
DEBT: Place = ("trading", "debt")
BOTS: Place = ("bots", "spot")
ISOLATED: Place = ("isolated", "collateral")
FUNDING: Place = ("funding", "funding")
SAVINGS: Place = ("earn", "earn")
STAKED: Place = ("earn", "staked")
PLEDGED: Place = ("loan", "collateral")
LOANED: Place = ("loan", "debt")


def rows_of(evidence: Evidence) -> list[Any]:
    """The `data` of an answer. Raises: VenueBadResponse when it carries an error or another form."""
    body = expect_dict(decode(evidence), evidence, where="the answer")
    if str(body.get("code", "0")) != "0":
        raise VenueBadResponse(f"{evidence.request}: the venue answered with an error")
    return expect_list(body.get("data"), evidence, where="data")


def amount_of(row: Mapping[str, Any], field: str) -> Decimal:
    """A field that OKX leaves empty where it does not apply. Raises: InvalidAmount."""
    return parse_amount(row.get(field) or "0", where=field)


def balances(context: Context, evidence: Sequence[Evidence]) -> Page:
    """One snapshot of each place that is told completely. Raises: VenueBadResponse when none is."""
    codes, sheet = context.codes, Sheet(context, evidence)

    def trading(row: Mapping[str, Any]) -> None:
        token, cash = codes.token(row["ccy"]), cash_of(row)
        debt = min(cash, -amount_of(row, "liab")) if cash < 0 else -amount_of(row, "liab")
        sheet.add(CASH, token, max(cash, Decimal(0)))
        sheet.add(DEBT, token, debt)
        sheet.add(BOTS, token, amount_of(row, "stgyEq"))
        sheet.add(ISOLATED, token, total((amount_of(row, "isoEq"), -amount_of(row, "isoUpl"))))

    def funding(row: Mapping[str, Any]) -> None:
        sheet.add(FUNDING, codes.token(row["ccy"]), parse_amount(row["bal"], where="bal"))

    def savings(row: Mapping[str, Any]) -> None:
        # `amt` holds what was earned: the field says that this is a position and no movement.
        parse_amount(row["earnings"], where="earnings")
        sheet.add(SAVINGS, codes.token(row["ccy"]), parse_amount(row["amt"], where="amt"))

    def staked(row: Mapping[str, Any]) -> None:
        for part in row["investData"]:
            sheet.add(STAKED, codes.token(part["ccy"]), parse_amount(part["amt"], where="amt"))

    def loans(row: Mapping[str, Any]) -> None:
        for place, field, sign in ((PLEDGED, "collateralData", 1), (LOANED, "loanData", -1)):
            for part in row[field]:
                sheet.add(place, codes.token(part["ccy"]), sign * parse_amount(part["amt"], where="amt"))

    sheet.read("/account/balance", _details_of, trading, tells=(CASH, DEBT, BOTS, ISOLATED))
    sheet.read("/asset/balances", rows_of, funding, tells=(FUNDING,))
    sheet.read("/savings/balance", rows_of, savings, tells=(SAVINGS,))
    sheet.read("/orders-active", rows_of, staked, tells=(STAKED,))
    sheet.read("/loan-info", rows_of, loans, tells=(PLEDGED, LOANED))
    return sheet.page()


def _details_of(evidence: Evidence) -> list[Any]:
    accounts = [expect_dict(row, evidence, where="data") for row in rows_of(evidence)]
    return [row for account in accounts for row in expect_list(account.get("details"), evidence, where="details")]


def cash_of(row: Mapping[str, Any]) -> Decimal:
    """The cash of one currency. More that is frozen than there is equity lies outside of it, and counts too."""
    cash, frozen = parse_amount(row["cashBal"], where="cashBal"), amount_of(row, "frozenBal")
    equity = parse_amount(row.get("eq") or row["cashBal"], where="eq")
    return total((cash, frozen)) if frozen > max(cash, equity) >= 0 else cash
