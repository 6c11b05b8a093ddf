"""Who may ask for what: teams and their secrets, anonymous users, tokens, limits, and an audit that shows any change."""
