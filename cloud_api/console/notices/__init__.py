"""What each person is told, and how they want to be told."""
