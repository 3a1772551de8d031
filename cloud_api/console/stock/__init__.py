"""`/console/stock`: what lies where, what is promised or on hold, what it is worth, and how it is corrected."""
