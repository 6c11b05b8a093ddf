"""Solana by address: balances, stake accounts, and history by what each transaction changed."""
