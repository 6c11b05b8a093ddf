"""The same proof for the exchanges that ccxt does not have: what their documentation lets write, and every other method."""

from collections import Counter
from typing import Any

import pytest
from tests.readonly import sweep, test_sweep
from tests.readonly.sweep import Bench

from omnifolio.catalog import exchanges, reads
from omnifolio.venues.exchanges import lazy_ccxt
from omnifolio.venues.exchanges.gate import Gate, endpoint_of, gated
from omnifolio.venues.exchanges.own_exchange import OwnExchange

OWN = [name for name in exchanges.ids() if exchanges.load(name).signing]
METHODS = ("GET", "POST", "PUT", "DELETE", "PATCH", "HEAD")

WRITES: dict[str, tuple[str, ...]] = {
    "bit2me": (
        *("POST private v1/wallet/transaction", "POST private v1/wallet/transaction/proforma", "POST private v1/wallet/pocket"),
        *("DELETE private v1/wallet/pocket", "POST private v1/trading/order", "DELETE private v1/trading/order"),
        *("DELETE private v1/trading/order/{id}", "POST private v1/trading/wallet/deposit"),
        *("POST private v1/trading/wallet/withdraw", "POST private v1/earn/movements", "POST private v1/loan/orders"),
        *("POST private v1/teller/orders", "POST private v1/social-pay/orders", "DELETE private v1/account"),
        *("POST private v1/signin/apikey", "PUT private v1/earn/wallets/{walletId}/rewards/config"),
    ),
    "iconomi": (
        *("POST private v1/user/withdraw", "GET private v1/user/deposit/{currency}", "POST private v1/order"),
        *("POST private v1/order/offer", "POST private v1/order/offer/{offerId}/confirm", "DELETE private v1/order/{orderId}"),
        *("POST private v1/strategies/{ticker}/structure", "POST private v1/strategies/{ticker}/post"),
        *("PUT private v1/strategies/{ticker}/post/{id}", "DELETE private v1/strategies/{ticker}/post/{id}"),
    ),
    "bitmart": (
        *("POST private spot/v2/submit_order", "POST private spot/v1/margin/submit_order", "POST private spot/v4/batch_orders"),
        *("POST private spot/v3/cancel_order", "POST private spot/v4/cancel_orders", "POST private spot/v4/cancel_all"),
        *("POST private spot/v1/margin/isolated/borrow", "POST private spot/v1/margin/isolated/repay"),
        *("POST private spot/v1/margin/isolated/transfer", "POST private account/v1/withdraw/apply"),
        *("GET private account/v1/deposit/address", "POST futures account/v1/transfer-contract"),
        *("POST futures contract/private/submit-order", "POST futures contract/private/cancel-order"),
        *("POST futures contract/private/cancel-orders", "POST futures contract/private/submit-plan-order"),
        *("POST futures contract/private/submit-leverage", "POST futures contract/private/set-position-mode"),
        *("POST private account/sub-account/main/v1/sub-to-main", "POST private account/sub-account/main/v1/main-to-sub"),
    ),
    "bitcoinde": (
        *("POST private {trading_pair}/orders", "DELETE private {order_id}/{trading_pair}/orders"),
        *("POST private {trading_pair}/trades/{order_id}", "POST private {trading_pair}/{trade_id}/trades/mark_trade_as_paid"),
        *("POST private {currency}/withdrawals", "DELETE private {currency}/withdrawals/{withdrawal_id}"),
        *("POST private {currency}/deposits", "POST private {currency}/transfers"),
    ),
    "coinbaseprime": (
        *("POST private portfolios/{portfolio_id}/order", "POST private portfolios/{portfolio_id}/orders/{order_id}/cancel"),
        *("POST private portfolios/{portfolio_id}/wallets", "POST private portfolios/{portfolio_id}/address_book"),
        *("POST private portfolios/{portfolio_id}/wallets/{wallet_id}/withdrawals", "POST private allocations"),
        *("POST private portfolios/{portfolio_id}/wallets/{wallet_id}/transfers", "POST private allocations/net"),
        *("POST private portfolios/{portfolio_id}/wallets/{wallet_id}/conversion", "POST private portfolios/{portfolio_id}/rfq"),
        *(
            "POST private portfolios/{portfolio_id}/wallets/{wallet_id}/staking/initiate",
            "POST private entities/{entity_id}/orders",
        ),
    ),
    "bitmex": (
        *("POST private order", "PUT private order", "DELETE private order", "DELETE private order/all"),
        *("POST private order/closePosition", "POST private order/cancelAllAfter", "POST private position/isolate"),
        *("POST private position/riskLimit", "POST private position/transferMargin", "POST private position/leverage"),
        *("POST private user/requestWithdrawal", "POST private user/cancelWithdrawal", "POST private user/confirmWithdrawal"),
        *("DELETE private user/withdrawal", "POST private user/walletTransfer", "POST private user/confirmEmail"),
        *("POST private user/addSubaccount", "POST private user/updateSubaccount", "POST private user/logout"),
        *("POST private user/preferences", "POST private user/communicationToken", "POST private address"),
        *("POST private user/unstakingRequests", "DELETE private user/unstakingRequests", "POST private guild/join"),
        *("GET private apiKey", "GET private user/depositAddress"),
    ),
    "coinex": (
        *("POST private spot/order", "POST private spot/stop-order", "POST private spot/batch-order"),
        *("POST private spot/modify-order", "POST private spot/cancel-order", "POST private spot/cancel-all-order"),
        *("POST private futures/order", "POST private futures/close-position", "POST private futures/adjust-position-margin"),
        *("POST private account/settings", "POST private assets/margin/borrow", "POST private assets/margin/repay"),
        *("POST private assets/transfer", "POST private assets/withdraw", "POST private assets/cancel-withdraw"),
        *("POST private assets/renewal-deposit-address", "GET private assets/deposit-address"),
        *("POST private assets/amm/add-liquidity", "POST private assets/amm/remove-liquidity", "POST private account/subs"),
        *("POST private account/subs/frozen", "POST private account/subs/api", "POST private account/subs/edit-api"),
        *("POST private account/subs/delete-api", "POST private account/subs/transfer", "GET private account/subs/api"),
    ),
    "bitpanda": ("POST private trades", "POST private wallets/transactions", "POST private fiatwallets/transactions"),
}
"""`METHOD group path` of calls that would change something, after each operator's documentation. Bitpanda documents none."""


class OwnBench(Bench):
    """One gated exchange of ours with a recorder where the network would be."""

    def __init__(self, exchange_id: str, kind: lazy_ccxt.Namespace = lazy_ccxt.ASYNC) -> None:
        self.sent, self.refused, self.signed = [], [], []
        loaded, signed = exchanges.load(exchange_id), self.signed

        class Counted(OwnExchange):
            row = loaded

            def sign(self, path: str, api: Any = "public", method: str = "GET", params: Any = None) -> dict[str, Any]:
                signed.append(endpoint_of(method, api, path))
                return super().sign(path, api, method, params)

        self.allowed = reads.allowed(exchange_id)
        self.is_async = True
        self.gate = Gate(venue=exchange_id, allowed=self.allowed, origins=(), on_refused=self._on_refused)
        self.exchange: Any = gated(Counted)({}, gate=self.gate, wire=self.carry_later)
        self.exchange.time_ms = lambda: 1_700_000_000_000
        self.exchange.api = tree(exchange_id)
        self.gate.origins = frozenset(f"https://{host}" for host in sweep.hosts(self.exchange))


def tree(exchange_id: str) -> dict[str, dict[str, list[str]]]:
    """Everything that is tried: each documented write, and each listed path by every method in every group."""
    row = exchanges.load(exchange_id)
    paths = {path for _, _, path in row.allowed}
    found: dict[str, dict[str, list[str]]] = {
        group: {method.lower(): sorted(paths) for method in METHODS} for group in (*row.groups, "nowhere")
    }
    for line in WRITES[exchange_id]:
        method, group, path = line.split(" ", 2)
        found[group][method.lower()].append(path)
    return found


@pytest.mark.parametrize("exchange_id", OWN)
async def test_every_endpoint_off_the_list_is_refused_before_signing(exchange_id: str) -> None:
    count = Counter[str]()
    assert await sweep.every_endpoint([exchange_id], lazy_ccxt.ASYNC, count, OwnBench) == []
    listed = exchanges.load(exchange_id).allowed
    assert count["allowed"] == len(set(listed))
    assert count["allowed, reached the wire"] == len({item for item in listed if "{" not in item[2]})
    assert count["refused"] > len(listed) * (len(METHODS) - 1)


@pytest.mark.parametrize("exchange_id", OWN)
async def test_no_door_opens_for_an_endpoint_off_the_list(exchange_id: str) -> None:
    count = Counter[str]()
    assert await sweep.every_door([exchange_id], lazy_ccxt.ASYNC, count, OwnBench) == []
    assert count["attempts"] > len(WRITES[exchange_id]) * 10


def test_no_documented_write_is_listed() -> None:
    for exchange_id in OWN:
        listed = {" ".join(endpoint) for endpoint in exchanges.load(exchange_id).allowed}
        assert WRITES[exchange_id]
        assert not listed & set(WRITES[exchange_id])


@pytest.mark.parametrize("fault", test_sweep.FAULTS_OF_THE_GATE, ids=lambda fault: fault.__name__)
async def test_a_planted_fault_is_found(fault: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    fault(monkeypatch)
    found = await sweep.every_endpoint(OWN[:1], lazy_ccxt.ASYNC, Counter(), OwnBench)
    found += await sweep.every_door(OWN[:1], lazy_ccxt.ASYNC, Counter(), OwnBench)
    assert found != []
