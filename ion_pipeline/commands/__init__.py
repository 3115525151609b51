"""Commands with a module of their own; `cli` combines them. Each command only parses, calls and prints."""
