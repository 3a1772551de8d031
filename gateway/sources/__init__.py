"""One protocol a file: how messages reach the gateway."""
