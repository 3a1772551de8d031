"""The ground that all maps of the console are drawn on: the operator's map of the region, or none."""
