"""Vezgo as a source to move away from: what it holds of a user, read once through its API, never written."""
