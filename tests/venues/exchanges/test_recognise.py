"""Recordings that name no path: what each answer is, is told by its fragment or its form, and no digit of it changes."""

import json
from typing import Any

from omnifolio.app.replay import replay
from omnifolio.model.amounts import canonical
from omnifolio.model.clock import EpochMs
from omnifolio.model.facts import Batch
from omnifolio.transport import recording
from omnifolio.venues.exchanges.recognise import recognised

AT = EpochMs(1_700_000_000_000)
FILL = (
    '{"symbol":"BNBBTC","id":1,"qty":0.10000000000000000001,"quoteQty":"2","commission":0,'
    '"commissionAsset":"BNB","time":1499865549590,"isBuyer":true}'
)


def cassette(venue: str, *takes: tuple[str, str, str], hint: str = "") -> recording.Cassette:
    """A cassette of (method, url, raw JSON) takes, all with the same hint."""
    form = '{{"method":"{}","url":"{}","hint":"{}","response":{}}}'
    requests = ",".join(form.format(method, url, hint, response) for method, url, response in takes)
    return recording.load(f'{{"venue":"{venue}","name":"case","requests":[{requests}]}}'.encode())


def streams(found: recording.Cassette) -> list[str]:
    return [batch.cursor.stream for batch in recognised(found.venue, found.requests, observed_at=AT)]


def test_a_fragment_tells_the_stream_and_the_rows_their_symbol() -> None:
    found = cassette("binance", ("GET", "myTrades/BNBBTC+symbol", f"[{FILL}]"))
    (batch,) = recognised("binance", found.requests, observed_at=AT)
    assert batch.cursor.stream == "trades/BNB-BTC"
    assert [str(leg.amount) for leg in batch.claims[0].legs] == ["0.10000000000000000001", "-2"]


def test_answers_of_one_path_are_taken_in_the_order_in_which_a_sync_asks() -> None:
    payment = json.dumps(
        {
            "data": [
                {
                    "orderNo": "1",
                    "sourceAmount": "20",
                    "fiatCurrency": "EUR",
                    "obtainAmount": "4",
                    "cryptoCurrency": "ETH",
                    "totalFee": "0.2",
                    "price": "4.95",
                    "status": "Completed",
                    "createTime": 1624529919000,
                }
            ]
        }
    )
    takes = [("GET", "fiat/payments", payment), ("GET", "fiat/payments", payment)]
    assert streams(cassette("binance", *takes)) == ["fiat-payments/buy", "fiat-payments/sell"]


def test_the_form_alone_tells_what_an_answer_is() -> None:
    ledger = (
        '{"ledger":{"L1":{"refid":"1","time":1636406000.8555,"type":"trade","asset":"XETH","amount":"-1","fee":"0"}},"count":1}'
    )
    balance = '{"error":[],"result":{"XXBT":"1.5","ZUSD":{"balance":"2","hold_trade":"0"}}}'
    nothing = '{"binance_selected_trade_pairs":["ETHBTC"]}'
    takes = [("POST", "*", ledger), ("POST", "*", balance), ("POST", "*", nothing), ("POST", "*", '"text"')]
    assert streams(cassette("kraken", *takes)) == ["balances/all", "ledger/all"]


async def test_a_recording_without_paths_replays_to_its_facts() -> None:
    lines: list[Any] = await replay(cassette("binance", ("GET", "myTrades/BNBBTC+symbol", f"[{FILL}]")))
    (line,) = lines
    assert (line["ref"], line["at"], len(line["legs"])) == ("BNBBTC/1", 1_499_865_549_590, 2)


WALLET = '{"type":"wallet","id":"w","attributes":{"cryptocoin_id":"3","cryptocoin_symbol":"LTC","balance":"1"}}'
TRADE = (
    '{"type":"trade","id":"t","attributes":{"status":"finished","type":"buy","cryptocoin_id":"3","wallet_id":"w","fiat_id":"1",'
    '"amount_fiat":"1.63","amount_cryptocoin":"0.009","time":{"unix":"1634963958"}}}'
)


def read(venue: str, *takes: tuple[str, str]) -> list[Batch]:
    """What is made of (url, raw JSON) takes."""
    found = cassette(venue, *(("GET", url, response) for url, response in takes))
    return list(recognised(venue, found.requests, observed_at=AT))


def test_rows_are_read_beside_what_names_their_assets() -> None:
    (batch,) = read("bitpanda", ("/trades", f'{{"data":[{TRADE}]}}'), ("/wallets", f'{{"data":[{WALLET}]}}'))
    assert [leg.token for leg in batch.claims[0].legs] == ["venue:bitpanda/LTC", "venue:bitpanda/EUR"]
    assert batch.cursor.stream == "trades/all"


def test_wallets_alone_are_balances() -> None:
    (batch,) = read("bitpanda", ("/wallets", f'{{"data":[{WALLET}]}}'))
    assert [balance.token for balance in batch.snapshots[0].balances] == ["venue:bitpanda/LTC"]


def test_answers_that_a_recording_lists_together_are_read_apart_and_to_the_digit() -> None:
    deposit = '{"deposit_id":1,"created_at":1637212022134,"ccy":"BTC","amount":0.1234567890123456789,"status":"finished"}'
    withdrawal = '{"withdraw_id":2,"created_at":1637212023134,"ccy":"BTC","actual_amount":"1","tx_fee":"0","status":"finished"}'
    first, second = read("coinex", ("*", f'[{{"code":0,"data":[{deposit}]}},{{"code":0,"data":[{withdrawal}]}}]'))
    assert (first.cursor.stream, second.cursor.stream) == ("deposits/all", "withdrawals/all")
    assert str(first.claims[0].legs[0].amount) == "0.1234567890123456789"


MOVE = (
    '{"currency":"XRP","amount":1.50000000000000000001,"fee":"0.5","walletTxId":"%s","status":"SUCCESS",'
    '"createdAt":1612556652000}'
)
KUCOIN_PAGE = '{"code":"200000","data":{"totalNum":1,"items":[%s]}}'


def test_answers_listed_together_are_read_apart_at_every_venue() -> None:
    pages = ",".join(KUCOIN_PAGE % (MOVE % name) for name in ("a", "b"))
    found = read("kucoin", ("*", f"[{pages}]"))
    assert [str(batch.claims[0].legs[0].amount) for batch in found] == ["1.50000000000000000001"] * 2
    (nested,) = read("kucoin", ("*", f'{{"first":{KUCOIN_PAGE % (MOVE % "c")}}}'))
    assert len(nested.claims) == 1


def test_rows_without_their_envelope_are_read_at_every_venue() -> None:
    row = (
        '{"transactionId":"t","timestamp":1539713117,"status":"COMPLETED","exchangeType":"TRADE","type":"BUY",'
        '"kind":"TRADE","source_ticker":"EUR","source_amount":"10","target_ticker":"AUST","target_amount":"5.5"}'
    )
    (batch,) = read("iconomi", ("*", f"[{row}]"))
    (alone,) = read("iconomi", ("*", row))
    assert batch.claims[0].legs == alone.claims[0].legs
    assert {str(leg.amount) for leg in batch.claims[0].legs} == {"-10", "5.5"}


def test_the_hint_tells_two_streams_of_one_form_apart() -> None:
    row = '{"method":"Bitcoin","asset":"XXBT","refid":"r","amount":"1","fee":"0","time":1688992722,"status":"Success"}'
    rows = f"[{row}]"
    assert streams(cassette("kraken", ("POST", "*", rows), hint="deposits_1")) == ["deposits/all"]
    assert streams(cassette("kraken", ("POST", "*", rows), hint="WITHDRAWAL_RESPONSE")) == ["withdrawals/all"]


MARGIN = '[{"currency":"Gwei","walletBalance":1500000000,"amount":1500000000}]'
SCALES = '[{"asset":"ETH","currency":"Gwei","majorCurrency":"ETH","scale":9}]'


def test_balances_that_need_a_second_answer_are_read_beside_it_and_once() -> None:
    for takes in ((("*", MARGIN), ("*", SCALES)), (("*", SCALES), ("*", MARGIN))):
        (batch,) = read("bitmex", *takes)
        assert [canonical(balance.amount) for balance in batch.snapshots[0].balances] == ["1.5"]
    assert read("bitmex", ("*", MARGIN)) == []


def test_a_list_of_balances_with_a_row_that_cannot_be_read_is_not_told_in_part() -> None:
    whole = '[{"currency":"eth","available":"1","total":"32"},{"currency":"btc","available":"1","total":"nothing"}]'
    assert read("bitstamp", ("*", whole)) == []


def test_a_sub_account_is_never_guessed() -> None:
    """Its name stood in the question, which such a recording has lost."""
    bare = '{"code":"0","data":[{"ccy":"ETH","bal":"2","availBal":"2","frozenBal":"0"}]}'
    (batch,) = read("okx", ("asset/balances", bare))
    assert [snapshot.wallet for snapshot in batch.snapshots] == ["funding"]


def test_a_history_whose_rows_would_also_read_as_balances_is_a_history() -> None:
    row = (
        '{"type":"Deposit","status":"Advanced","timestampms":1507913541275,"eid":1,"currency":"USD","amount":"36","method":"ACH"}'
    )
    (batch,) = read("gemini", ("*", f"[{row}]"))
    assert (batch.cursor.stream, batch.snapshots) == ("transfers/all", ())
