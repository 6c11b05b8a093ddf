"""Recorded cases whose expected facts differ from ours by choice, each with the reason."""

DIFFERENT_BY_DESIGN = {
    # The record adds a fee of 90 USDC, which is the spread between the two sides' values, on top of the 1,000 USDC that left the
    # account; ours keeps what the account lost. It also dates the event by its last update.
    "coinbase__asset_conversion",
    # The record tells one side of a move into staking; ours both, so that the account's sum stays what it is.
    "coinbase__coinbase_staking_events",
    # The record multiplies price and amount to ten decimals of a euro; ours keeps `amount_fiat`, the cents that the fiat wallet
    # lost or gained.
    "bitpanda__trades",
}
