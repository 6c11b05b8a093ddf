"""Chains of Substrate by address: coins free, reserved and staked, pools, and listed assets, out of a node's storage."""
