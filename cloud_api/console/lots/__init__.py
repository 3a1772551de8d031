"""`/console/lots`: what may be done with each lot, what it has been through, where it came from and where it went."""
