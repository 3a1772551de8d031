"""A double of InfluxDB 2's HTTP API on loopback, for tests and trials without a server."""
