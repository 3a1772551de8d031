"""Where dispatchers plan a day, change it by hand, and see how it is driven."""
