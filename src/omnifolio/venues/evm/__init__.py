"""EVM chains: balances and transfers of one address, read from any node's JSON-RPC."""
