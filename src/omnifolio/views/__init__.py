"""Pure read models over the ledger."""
