"""The work with goods: taking them in, bringing them elsewhere, counting them, labels, the ledger, what readers saw."""
