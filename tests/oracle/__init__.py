"""An independent computation of the as-built genealogy, over a world's files, in plain Python.

What the warehouse says is compared with what this package says.  It shares nothing with the models: neither code, nor
the way of computing.  It favours the obvious over the fast.
"""
