"""Histories and faults out of one number: a simulated exchange behind the real way out, the real sync, the real ledger."""
