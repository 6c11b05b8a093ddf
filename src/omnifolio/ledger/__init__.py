"""The only writer and reader of facts."""
