"""The console's stock, with and without a browser."""
