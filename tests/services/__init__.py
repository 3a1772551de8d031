"""Real servers and processes for the tests: nothing here stands in for anything."""
