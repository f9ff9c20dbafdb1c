"""The ordering benchmark, its crates and its solvers."""
