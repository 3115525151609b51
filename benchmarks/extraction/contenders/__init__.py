"""The contenders: one script each, run in a process of its own with a job file as its only argument."""
