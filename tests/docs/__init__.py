"""The documentation: what it shows runs, what it lists is complete, where it points there is something."""
