"""What a new organisation's administrator is led through, and can leave and take up again."""
