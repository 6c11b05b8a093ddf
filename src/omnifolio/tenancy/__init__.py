"""Teams, users, tokens and audit: who may see what."""
