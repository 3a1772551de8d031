"""`/console/products`: what is kept and sold, how it must be stored, and what it costs."""
