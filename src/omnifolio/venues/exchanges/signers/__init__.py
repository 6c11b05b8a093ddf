"""How the exchanges that ccxt does not have want their requests signed: one pure function each."""
