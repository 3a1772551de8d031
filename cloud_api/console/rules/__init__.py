"""What rooms must keep to, who is told when they do not, and who is on call."""
