"""Ink → embedding by a network, and heat maps of what moved it."""
