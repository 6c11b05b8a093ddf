"""What a transaction is: pure functions over the words of the model."""
