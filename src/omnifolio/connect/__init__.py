"""Connect: what a host page and a user agreed on, tokens of open pages, where they return to, visits, and consents under way."""
