"""Extraction compared: ours, other tools and the floor, on the same pages of a replay server."""
