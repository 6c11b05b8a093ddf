"""The only door out: allow-lists, pacing, retries, caps, and the gate that lets nothing but reads through."""
