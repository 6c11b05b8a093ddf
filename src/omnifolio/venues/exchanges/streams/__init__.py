"""What each venue's private stream needs and says: one pure module per venue, and the contract between them and the listener."""
