"""Cosmos chains by address: balances, stakes, rewards, and history by what the bank's events say of each transaction."""
