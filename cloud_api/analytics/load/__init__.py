"""What the platform's requests took, hour by hour, which failed, and what the platform holds."""
