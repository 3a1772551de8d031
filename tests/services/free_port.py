"""Ports for servers that cannot be told to choose one themselves."""

from coldfleet.bench.processes import free_port as free_port
