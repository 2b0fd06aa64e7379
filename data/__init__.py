"""What is known: schema, store, ingest and synthetic data."""
