"""What the product promises in figures, measured by the functions that production calls: `make bench`."""
