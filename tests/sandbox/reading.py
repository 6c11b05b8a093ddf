"""Independent readings of the venues' answers: every balance and every event's net movement, to compare with truth."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

Net = dict[tuple[str, str], Decimal]  # (wallet, asset) -> sum of legs
DAY_MS = 86_400_000
HISTORY_START_MS = 1_688_000_000_000
PLAIN = {"XXBT": "BTC", "XETH": "ETH", "XXRP": "XRP", "XXDG": "DOGE", "XLTC": "LTC", "ZUSD": "USD", "ZEUR": "EUR",
         "XBT": "BTC", "XDG": "DOGE", "CGLD": "CELO", "ETH2": "ETH"}  # fmt: skip


def told_nets(lines: list[dict[str, Any]]) -> dict[str, Net]:
    """Net movement by ref, as truth says."""
    found: dict[str, Net] = {}
    for line in lines:
        if line["kind"] == "transaction":
            assert line["ref"] not in found, "refs are unique"
            net: Net = defaultdict(Decimal)
            for leg in line["legs"]:
                net[leg["wallet"], leg["asset"]] += Decimal(leg["amount"])
            found[line["ref"]] = {key: amount for key, amount in net.items() if amount}
    return found


def told_balances(lines: list[dict[str, Any]]) -> dict[tuple[str, str, str], Decimal]:
    """Balances by wallet, product and asset, as truth says."""
    return {
        (line["wallet"], line["product"], line["asset"]): Decimal(line["amount"]) for line in lines if line["kind"] == "balance"
    }


def _clean(nets: dict[str, Net]) -> dict[str, Net]:
    return {ref: {key: amount for key, amount in net.items() if amount} for ref, net in nets.items()}


def kraken_ledger(client: Any) -> Iterator[dict[str, Any]]:
    """All ledger rows, page by page."""
    offset = 0
    while True:
        page = client.private_post_ledgers({"ofs": offset})["result"]
        yield from ({**row, "id": key} for key, row in page["ledger"].items())
        offset += len(page["ledger"])
        if not page["ledger"]:
            assert offset == int(page["count"])
            return


def kraken_place(code: str) -> tuple[str, str, str]:
    """Wallet, product and ticker of a Kraken code."""
    base, _, suffix = code.partition(".")
    product = {"": "spot", "S": "staked"}.get(suffix, "earn")
    return ("earn" if suffix else "spot"), product, PLAIN.get(base, base)


def kraken_nets(client: Any) -> dict[str, Net]:
    """Net movement by refid from the ledger."""
    found: dict[str, Net] = defaultdict(lambda: defaultdict(Decimal))
    for row in kraken_ledger(client):
        wallet, _, asset = kraken_place(row["asset"])
        found[row["refid"]][wallet, asset] += Decimal(row["amount"]) - Decimal(row["fee"])
    return _clean(found)


def windows(end_ms: int, days: int) -> Iterator[tuple[int, int]]:
    """Adjoining windows from the beginning to `end_ms`."""
    start = HISTORY_START_MS
    while start <= end_ms:
        yield start, min(end_ms, start + days * DAY_MS - 1)
        start += days * DAY_MS


def binance_nets(client: Any, now_ms: int) -> dict[str, Net]:
    """Net movement by ref from every history that Binance has."""
    found: dict[str, Net] = defaultdict(lambda: defaultdict(Decimal))
    for symbol in client.public_get_exchangeinfo()["symbols"]:
        _binance_fills(client, symbol, found)
    for start, end in windows(now_ms, 90):
        _binance_transfers(client, {"startTime": start, "endTime": end}, found)
        _binance_earn(client, {"startTime": start, "endTime": end, "size": 100}, found)
    for start, end in windows(now_ms, 30):
        page = client.sapi_get_convert_tradeflow({"startTime": start, "endTime": end, "limit": 1000})
        assert page["moreData"] is False
        for row in page["list"]:
            found[str(row["orderId"])]["spot", row["fromAsset"]] -= Decimal(row["fromAmount"])
            found[str(row["orderId"])]["spot", row["toAsset"]] += Decimal(row["toAmount"])
    for dust in client.sapi_get_asset_dribblet()["userAssetDribblets"]:
        net = found[str(dust["transId"])]
        net["spot", "BNB"] += Decimal(dust["totalTransferedAmount"])
        for one in dust["userAssetDribbletDetails"]:
            net["spot", one["fromAsset"]] -= Decimal(one["amount"])
    _binance_fiat(client, found)
    return _clean(found)


def _binance_fills(client: Any, symbol: dict[str, Any], found: dict[str, Net]) -> None:
    from_id = 0
    while True:
        rows = client.private_get_mytrades({"symbol": symbol["symbol"], "fromId": from_id, "limit": 5})
        for row in rows:
            net, sign = found[f"{row['symbol']}/{row['id']}"], 1 if row["isBuyer"] else -1
            net["spot", symbol["baseAsset"]] += sign * Decimal(row["qty"])
            net["spot", symbol["quoteAsset"]] -= sign * Decimal(row["quoteQty"])
            net["spot", row["commissionAsset"]] -= Decimal(row["commission"])
        if not rows:
            return
        from_id = int(rows[-1]["id"]) + 1


def _binance_transfers(client: Any, window: dict[str, int], found: dict[str, Net]) -> None:
    for row in client.sapi_get_capital_deposit_hisrec(window):
        found[row["id"]]["spot", row["coin"]] += Decimal(row["amount"])
    for row in client.sapi_get_capital_withdraw_history(window):
        if row["status"] == 6:
            found[row["id"]]["spot", row["coin"]] -= Decimal(row["amount"]) + Decimal(row["transactionFee"])
    for row in client.sapi_get_asset_assetdividend({**window, "limit": 500})["rows"]:
        found[str(row["id"])]["spot", row["asset"]] += Decimal(row["amount"])
    for kind, sign in (("MAIN_FUNDING", 1), ("FUNDING_MAIN", -1)):
        for row in client.sapi_get_asset_transfer({**window, "type": kind, "size": 100})["rows"]:
            found[str(row["tranId"])]["spot", row["asset"]] -= sign * Decimal(row["amount"])
            found[str(row["tranId"])]["funding", row["asset"]] += sign * Decimal(row["amount"])


def _binance_earn(client: Any, window: dict[str, int], found: dict[str, Net]) -> None:
    for sort in ("flexible", "locked"):
        for row in getattr(client, f"sapi_get_simple_earn_{sort}_history_subscriptionrecord")(window)["rows"]:
            found[str(row["purchaseId"])]["spot", row["asset"]] -= Decimal(row["amount"])
            found[str(row["purchaseId"])]["earn", row["asset"]] += Decimal(row["amount"])
        for row in getattr(client, f"sapi_get_simple_earn_{sort}_history_redemptionrecord")(window)["rows"]:
            found[str(row["redeemId"])]["earn", row["asset"]] -= Decimal(row["amount"])
            found[str(row["redeemId"])]["spot", row["asset"]] += Decimal(row["amount"])
    for row in client.sapi_get_simple_earn_flexible_history_rewardsrecord({**window, "type": "REALTIME"})["rows"]:
        found[f"{row['asset']}/{row['time']}/{row['projectId']}"]["earn", row["asset"]] += Decimal(row["rewards"])
    for row in client.sapi_get_simple_earn_locked_history_rewardsrecord(window)["rows"]:
        found[f"{row['asset']}/{row['time']}/{row['positionId']}"]["spot", row["asset"]] += Decimal(row["amount"])


def _binance_fiat(client: Any, found: dict[str, Net]) -> None:
    for direction, sign in ((0, 1), (1, -1)):
        asked = {"transactionType": direction, "beginTime": HISTORY_START_MS, "rows": 500}
        for row in client.sapi_get_fiat_orders(asked)["data"]:
            fee = Decimal(row["totalFee"]) if direction else Decimal(0)
            found[row["orderNo"]]["spot", row["fiatCurrency"]] += sign * Decimal(row["amount"]) - fee
        for row in client.sapi_get_fiat_payments(asked)["data"]:
            found[row["orderNo"]]["spot", row["fiatCurrency"]] -= Decimal(row["sourceAmount"])
            found[row["orderNo"]]["spot", row["cryptoCurrency"]] += Decimal(row["obtainAmount"])


def coinbase_rows(client: Any) -> Iterator[dict[str, Any]]:
    """All v2 transactions of all accounts, page by page."""
    for account in coinbase_accounts(client):
        after = None
        while True:
            asked = {"account_id": account["id"], "limit": 9, **({"starting_after": after} if after else {})}
            page = client.v2_private_get_accounts_account_id_transactions(asked)
            yield from page["data"]
            after = page["pagination"]["next_starting_after"]
            if after is None:
                break


def coinbase_accounts(client: Any) -> Iterator[dict[str, Any]]:
    """All v2 accounts, page by page."""
    after = None
    while True:
        page = client.v2_private_get_accounts({"limit": 4, **({"starting_after": after} if after else {})})
        yield from page["data"]
        after = page["pagination"]["next_starting_after"]
        if after is None:
            return


def coinbase_sums(client: Any) -> dict[tuple[str, str], Decimal]:
    """Sum of all completed rows by product and asset."""
    found: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for row in coinbase_rows(client):
        if row["status"] == "completed":
            code = row["amount"]["currency"]
            found["staked" if code == "ETH2" else "spot", PLAIN.get(code, code)] += Decimal(row["amount"]["amount"])
    return {key: amount for key, amount in found.items() if amount}


def at_second(text: str) -> int:
    """Epoch milliseconds of a v2 time."""
    return int(datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC).timestamp()) * 1000
