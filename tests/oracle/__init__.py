"""An independent computation of the as-built genealogy, over a world's files, in plain Python.

Tests compare the warehouse with its results.  It shares neither code nor algorithms with the models, and it prefers
obvious code to fast code.
"""
