"""Files in and out: each format in its own module, `read` finds out which one a file is in."""
