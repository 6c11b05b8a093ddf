"""The world as data: venues, chains, currencies."""
