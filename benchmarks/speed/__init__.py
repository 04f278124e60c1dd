"""How fast it is, each thing against a peer; `python -m benchmarks.speed --help`."""
