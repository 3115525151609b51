"""sqlfluff's command line, with garbage collections that come once in some files instead of a hundred times in each.

A file becomes some hundred thousand objects that live until it is linted, and each collection traverses them.
"""

import gc

# Here and not below: sqlfluff's worker processes import this module before they begin.
gc.set_threshold(1_000_000, 10, 10)

if __name__ == "__main__":
    from sqlfluff.cli.commands import cli

    cli()
