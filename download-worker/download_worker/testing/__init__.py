"""Stand-ins for what lies outside the worker, as real HTTP servers. For tests and benchmarks."""
