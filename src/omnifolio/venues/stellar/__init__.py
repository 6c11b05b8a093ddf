"""Stellar: balances, claimable balances and history of one account, from any Horizon server."""
