"""TRON: coins, tokens, stakes and history of one address, from a full node's HTTP API and an index of addresses."""
