"""Scan → ink and findings: decoding, cleaning, the pen, quality, fingerprints."""
