"""Private streams of the simulated venues: sockets that check logins and subscriptions and tell what happens."""
