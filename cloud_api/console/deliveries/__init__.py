"""What is on the road: vans and doors, proofs, routes, and what phones said that was not taken."""
