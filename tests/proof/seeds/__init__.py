"""Histories and faults out of one number: a simulated exchange behind the real way out, read by the real sync into a real ledger."""
