"""The demo venue: a simulated exchange with a username and a password, for trying things without an account anywhere."""
