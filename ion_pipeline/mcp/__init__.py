"""What an assistant may read: the published tables, over the Model Context Protocol (MCP), and nothing else."""
