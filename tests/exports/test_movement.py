"""Transactions as rows of tax programs: nothing is lost or added, however many tokens move at once."""

from collections import defaultdict
from decimal import Decimal

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from omnifolio.exports.movement import Movement, movements, shares
from omnifolio.model.amounts import canonical, total
from omnifolio.views.transactions import TransactionView
from tests.exports.pages import ACCOUNTS, IDS, TICKERS, page, transaction

AMOUNTS = st.decimals(min_value="0.000000000000000001", max_value=10**9, places=18).map(lambda amount: amount.normalize())


def rows(*views: TransactionView) -> list[Movement]:
    return list(movements(page(*views), ids=IDS, accounts=ACCOUNTS))


def told(movement: Movement) -> tuple[str, str, str]:
    parts = (movement.sent, movement.received, movement.fee)
    sent, received, fee = ("" if part is None else f"{canonical(part.amount)} {part.ticker}" for part in parts)
    return sent, received, fee


def test_a_trade_is_one_row_with_its_fee() -> None:
    (row,) = rows(transaction("trade/buy", "-100 USD @-100", "0.5 BTC @100", "-0.25 USD fee @-0.25"))
    assert told(row) == ("100 USD", "0.5 BTC", "0.25 USD")
    assert row.value == 100


def test_a_move_between_wallets_is_nothing_but_its_fee() -> None:
    assert rows(transaction("staking", "-2 ETH", "2 ETH earn")) == []
    (row,) = rows(transaction("staking", "-2 ETH", "2 ETH earn", "-0.01 ETH fee"))
    assert (told(row), row.type, row.subtype) == (("", "", "0.01 ETH"), "other", "fees")


def test_a_fee_that_the_venue_pays_is_a_rebate() -> None:
    trade, rebate = rows(transaction("trade/buy", "-100 USD", "0.5 BTC", "0.25 USD fee"))
    assert told(trade) == ("100 USD", "0.5 BTC", "")
    assert (told(rebate), rebate.subtype) == (("", "0.25 USD", ""), "rebate")


def test_what_did_not_happen_is_not_written() -> None:
    assert rows(*(transaction("deposit", "1 BTC", status=status) for status in ("pending", "failed", "cancelled"))) == []


def test_several_sold_for_one_share_it_by_their_values() -> None:
    found = rows(transaction("trade/trade_crypto", "-10 DOGE @-3", "-5 USD @-1", "0.4 BNB @4", "-0.01 BNB fee"))
    assert [told(row) for row in found] == [("10 DOGE", "0.3 BNB", "0.01 BNB"), ("5 USD", "0.1 BNB", "")]


def test_several_against_several_stand_alone() -> None:
    found = rows(transaction("trade/trade_crypto", "-1 BTC", "-2 ETH", "3 DOGE", "4 BNB"))
    assert [told(row) for row in found] == [("1 BTC", "", ""), ("2 ETH", "", ""), ("", "3 DOGE", ""), ("", "4 BNB", "")]


@settings(suppress_health_check=[HealthCheck.too_slow])  # on a machine that is busy with the other tests
@given(amount=AMOUNTS, weights=st.lists(AMOUNTS, min_size=1, max_size=6))
def test_shares_add_up_to_the_whole(amount: Decimal, weights: list[Decimal]) -> None:
    found = shares(amount, weights)
    assert len(found) == len(weights)
    assert total(found) == amount
    assert min(found) >= 0


SIGNED = st.tuples(AMOUNTS, st.booleans()).map(lambda pair: pair[0] if pair[1] else -pair[0])
LEGS = st.lists(st.tuples(SIGNED, st.sampled_from(TICKERS[:5]), st.sampled_from(("", "earn", "fee"))), min_size=1, max_size=7)


@given(LEGS)
def test_rows_move_what_the_legs_move(legs: list[tuple[Decimal, str, str]]) -> None:
    texts = [f"{amount:f} {ticker} {word}" for amount, ticker, word in legs]
    view = transaction("trade", *texts)
    wanted: dict[str, list[Decimal]] = defaultdict(list)
    for stored in view.transaction.legs:
        wanted[TICKERS[stored.token]].append(stored.amount)
    found: dict[str, list[Decimal]] = defaultdict(list)
    for row in rows(view):
        for part, sign in ((row.sent, -1), (row.received, 1), (row.fee, -1)):
            if part is not None:
                assert part.amount > 0 or row.sent is not None
                found[part.ticker].append(sign * part.amount)
    assert {t: s for t, parts in found.items() if (s := total(parts))} == {t: s for t, p in wanted.items() if (s := total(p))}
