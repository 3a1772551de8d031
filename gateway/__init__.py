"""The edge box: what a sensor has been told is acknowledged, is on disk; what is on disk reaches the cloud once."""
