"""Steps from one revision of the schema to the next: each says what it changes in words of its own time."""
