"""Files: exports that a person uploads, read into the same facts as the venue's API gives."""
