"""The console's products, with and without a browser."""
