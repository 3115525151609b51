"""A local ION with the same schema, token exchange, errors and paging, over a seeded or given world."""
