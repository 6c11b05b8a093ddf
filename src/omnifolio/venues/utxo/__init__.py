"""UTXO chains: balances and history of addresses, extended public keys and descriptors."""
