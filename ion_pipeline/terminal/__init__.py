"""Output for people: progress, tables and trees. Reads reports and the published file; changes nothing."""
