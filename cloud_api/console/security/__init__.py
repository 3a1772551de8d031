"""What endangers the organisation, and the trail of all that was done."""
