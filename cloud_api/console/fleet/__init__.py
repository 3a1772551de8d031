"""The fleet: vehicles, their papers, their workshop visits, and who drives when."""
