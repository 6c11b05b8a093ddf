"""What is particular to one exchange: pure functions from its raw rows to claims, balances and certificates."""
