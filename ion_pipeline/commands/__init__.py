"""Groups of commands, one module each; `cli` combines them. Each command only parses, calls and prints."""
