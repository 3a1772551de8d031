"""Orders: the list that stays true, taking one, changing it, what becomes of it, and the cash of the drivers."""
