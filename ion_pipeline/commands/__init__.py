"""Groups of commands, one module each; `cli` puts them together. Thin like it: parse, call, print."""
