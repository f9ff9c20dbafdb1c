"""Benchmarks: each prints a figure beside a baseline of the same run."""
