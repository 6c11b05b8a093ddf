"""Tells the teams what happened: webhooks, their secrets, and the delivery of the outbox."""
