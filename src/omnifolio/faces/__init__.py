"""What the outside sees: API and command line. No logic."""
