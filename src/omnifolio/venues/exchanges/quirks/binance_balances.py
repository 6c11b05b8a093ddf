"""Binance's balances: three answers that make one picture of the spot, funding and earn wallets.

Flexible earn shows in the spot account as receipts, `LD` and the code; they count as earn, unless the positions themselves were
read. A product is told only when every answer that it needs is whole: what is missing is a gap, never an empty wallet.
Source: developers.binance.com, Spot account, Wallet funding asset, Simple Earn positions.
"""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from omnifolio.model.amounts import parse_amount, total
from omnifolio.model.errors import VenueBadResponse
from omnifolio.model.facts import Balance, Evidence, Gap, Product, Snapshot
from omnifolio.model.tokens import TokenId
from omnifolio.venues.contract import received_at
from omnifolio.venues.exchanges.answers import Context, Page, Seen, decode, expect_dict, expect_list, read_list

RECEIPT_PREFIX = "LD"
NOT_RECEIPTS = frozenset({"LDO"})
"""Codes that merely begin as a receipt does."""
ACCOUNT, FUNDING, FLEXIBLE, LOCKED = "/account", "/get-funding-asset", "/flexible/position", "/locked/position"

Held = dict[TokenId, list[Decimal]]


def rows_of(evidence: Evidence, *path: str) -> tuple[list[Any], dict[str, Any]]:
    """The list at `path` of an answer, and the object around it. Raises: VenueBadResponse for any other form, errors included."""
    body = decode(evidence)
    if not path:
        return expect_list(body, evidence, where="the answer"), {}
    around = expect_dict(body, evidence, where="the answer")
    return expect_list(around.get(path[0]), evidence, where=path[0]), around


class Answers:
    """The rows that each call gave, and whether they can be relied on."""

    def __init__(self, context: Context, evidence: Sequence[Evidence]) -> None:
        self._context = context
        self._evidence = evidence
        self.gaps: list[Gap] = []

    def read(self, call: str, path: tuple[str, ...], take: Callable[[Mapping[str, Any]], None]) -> bool:
        """Hands every row of a call's pages to `take`. False when the call has no answer or not all of it can be read."""
        answers = [item for item in self._evidence if item.request.endswith(call)]
        try:
            rows = [row for item in answers for row in rows_of(item, *path)[0]]
        except VenueBadResponse as error:
            self.gaps.append(Gap(stream=self._context.stream, code=error.code, text=error.message))
            return False
        bad = read_list(self._context, rows, take)
        self.gaps += bad
        return bool(answers) and not bad


def balances(context: Context, evidence: Sequence[Evidence]) -> Page:
    """One snapshot of each product that is told completely. Raises: VenueBadResponse when none is."""
    codes, answers = context.codes, Answers(context, evidence)
    spot, receipts, funding, positions = Held(), Held(), Held(), Held()

    def account(row: Mapping[str, Any]) -> None:
        code, held = codes.canonical(row["asset"]), _sum_of(row, "free", "locked")
        if code.startswith(RECEIPT_PREFIX) and code not in NOT_RECEIPTS:
            receipts.setdefault(codes.token(code.removeprefix(RECEIPT_PREFIX)), []).append(held)
        else:
            spot.setdefault(codes.token(code), []).append(held)

    def fund(row: Mapping[str, Any]) -> None:
        funding.setdefault(codes.token(row["asset"]), []).append(_sum_of(row, "free", "locked", "freeze", "withdrawing"))

    def flexible(row: Mapping[str, Any]) -> None:
        positions.setdefault(codes.token(row["asset"]), []).append(_sum_of(row, "totalAmount"))

    def locked(row: Mapping[str, Any]) -> None:
        positions.setdefault(codes.token(row["asset"]), []).append(_sum_of(row, "amount"))

    has_account = answers.read(ACCOUNT, ("balances",), account)
    has_funding = answers.read(FUNDING, (), fund)
    has_flexible = answers.read(FLEXIBLE, ("rows",), flexible)
    has_locked = answers.read(LOCKED, ("rows",), locked)
    if has_account and not has_flexible:
        for token, amounts in receipts.items():
            positions.setdefault(token, []).extend(amounts)
    has_earn = has_flexible or (has_account and has_locked)
    told: list[tuple[Product, bool, Held]] = [
        ("spot", has_account, spot),
        ("funding", has_funding, funding),
        ("earn", has_earn, positions),
    ]
    snapshots = [_snapshot(product, held, evidence) for product, is_told, held in told if is_told]
    if not snapshots and answers.gaps and answers.gaps[0].code == VenueBadResponse.code:
        raise VenueBadResponse(answers.gaps[0].text)
    return Page(seen=Seen(rows=len(spot)), snapshots=snapshots, gaps=answers.gaps)


def _sum_of(row: Mapping[str, Any], *fields: str) -> Decimal:
    return total(parse_amount(row[field], where=field) for field in fields)


def _snapshot(product: Product, held: Held, evidence: Sequence[Evidence]) -> Snapshot:
    sums = ((token, total(amounts)) for token, amounts in sorted(held.items()))
    balances = tuple(Balance(token, amount) for token, amount in sums if amount)
    return Snapshot(wallet=product, product=product, at=received_at(evidence), balances=balances, evidence=0)
