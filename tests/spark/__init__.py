"""What needs Apache Spark itself: `make test-spark` runs it in an environment of its own, with Java."""
