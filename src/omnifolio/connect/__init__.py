"""Linking by consent and the page that leads through it: what is remembered between two requests of a browser."""
