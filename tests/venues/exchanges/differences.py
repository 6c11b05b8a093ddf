"""Recorded cases whose expected facts differ from ours by choice, each with the reason."""

DIFFERENT_BY_DESIGN = {
    # The record adds a fee of 90 USDC, which is the spread between the two sides' values, on top of the 1,000 USDC that left the
    # account; ours keeps what the account lost. It also dates the event by its last update.
    "coinbase__asset_conversion",
    # These records tell one side of a move into staking or earn; ours both, so that the account's sum stays what it is.
    "coinbase__coinbase_staking_events",
    "bit2me__bit2me_query_earn_movements",
    # The record asked for three seconds only, which its payloads do not say, and leaves out what went between customers of the
    # venue; ours tells every movement of the payloads.
    "kucoin__query_asset_movements",
    # The record multiplies price and amount to ten decimals of a euro; ours keeps `amount_fiat`, the cents that the fiat wallet
    # lost or gained.
    "bitpanda__trades",
}

WITHOUT_AN_ANSWER = {
    # Money in and out, which the source of the record gave by hand: no answer in it tells them.
    "binance_us__binanceus_deposits_withdrawals_location": [
        ("EUR", "10.00", "in"),
        ("EUR", "10.00", "out"),
        ("EUR", "0.02", "fee"),
    ],
}
"""Facts that a record expects though it has no answer that could tell them."""

_POLONIEX_FILL = [("ETH", "613.79427133", "out"), ("BTC", "0.1411665444631867", "in"), ("BTC", "0.920691406995", "fee")]

BEYOND_THE_RECORD = {
    # The record tells trades alone; a deposit stands among them.
    "iconomi__query_trade_history": [("EUR", "1000", "in")],
    # A deposit after the instant until which the record looked.
    "coinex__query_asset_movements": [("USDT", "5", "in")],
    # A token that the record's own list of assets does not know: it is held all the same.
    "bitfinex__query_balances_asset_balance": [("B21X", "1", "balance")],
    # A fill after the instant until which the record looked.
    "bitfinex__query_online_trade_history_case_1": [
        ("ETH", "0.26334268", "out"),
        ("EUR", "43.0012262172", "in"),
        ("ETH", "0.09868591", "fee"),
    ],
    # Tokens that the record's own list of assets does not know.
    "poloniex__poloniex_query_balances_unknown_asset": [("CNOTE", "5", "balance"), ("IDONTEXIST", "2", "balance")],
    # Fills whose fields the source of the record took away afterwards: the answer as it is recorded has them.
    "poloniex__incremental_trade_history_deduplicates_pages": _POLONIEX_FILL,
    "poloniex__incremental_trade_history_skips_missing_id": _POLONIEX_FILL,
    "poloniex__poloniex_trade_missing_timestamp_is_skipped": _POLONIEX_FILL,
}
"""Rows that are right and that a record leaves out."""
