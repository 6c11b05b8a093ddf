"""Price and exchange-rate servers over one price function: our own feed, and three public services' forms."""
