"""Sui by address: coins, staked coins with what they earned, and history by what each transaction changed."""
