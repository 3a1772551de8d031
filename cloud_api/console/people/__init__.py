"""The people of the organisation, their roles, and what each role lets them do."""
