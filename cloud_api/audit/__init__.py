"""What was done, by whom, and what endangers the house: the trail, its seals, and security events."""
