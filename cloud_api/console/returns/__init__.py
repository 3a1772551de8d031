"""Returns: what customers give back, from asking for it until it is sold again or thrown away, and its money."""
