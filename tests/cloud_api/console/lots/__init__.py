"""The console's lots, with and without a browser."""
