"""Data sets beyond the sheets', with their files, and batches."""
