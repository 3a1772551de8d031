"""Benchmarks that anybody can run; what they gave stands in docs/benchmarks.md."""
