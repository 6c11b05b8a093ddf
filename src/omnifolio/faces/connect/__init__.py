"""What browsers see of Connect."""
