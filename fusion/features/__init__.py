"""Records → rows: what was known of a student as of the end of a term, as tables and as numbers."""
