"""The simulated Bybit: its V5 API for reading, as its documentation describes it."""
