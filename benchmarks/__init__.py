"""Measurements, run by hand: how fast and at what cost, compared with other ways. Figures are in README.md here."""
