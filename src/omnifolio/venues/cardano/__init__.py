"""Cardano by stake address or single address: what is held, locked and earned, and history by the outputs that moved."""
