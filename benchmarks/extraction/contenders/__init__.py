"""The contenders: one script each, run in a separate process with a job file as its only argument."""
