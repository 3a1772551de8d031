"""Files in and out: imports that are tried first, and exports to fetch."""
