"""Rows → risk: trees, line, calibration, their training, and a model as files."""
