"""What breaks in a cold store, and what must hold all the same: see `ledger.py` for the invariants."""
