"""The simulated OKX: its V5 API for reading, as its documentation describes it."""
