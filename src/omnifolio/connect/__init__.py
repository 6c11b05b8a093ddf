"""Connect: what a host page and a user agreed on, the tokens of an open page, where it returns to, and how far visits came."""
