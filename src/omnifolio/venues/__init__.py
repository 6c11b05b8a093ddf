"""Outside into batches: one reader per family of venues, and the data rows that describe each venue."""
