"""The command, the demonstration and the benchmarks: above every other package."""
