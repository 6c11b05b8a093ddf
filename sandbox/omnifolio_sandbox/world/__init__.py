"""The world behind the simulated venues: who holds what, and everything that ever happened to them."""
