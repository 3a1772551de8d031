"""Cold rooms: how each of them is now, and how it was over a day, a week or a month."""
