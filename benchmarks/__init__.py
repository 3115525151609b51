"""Measurements, run by hand: speed and cost, compared with other tools. The figures are in README.md in this folder."""
