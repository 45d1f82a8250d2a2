"""Bronze measured against its peers: `python -m Benchmarks --help`, or `make bench`."""
