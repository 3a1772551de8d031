"""Simulated rooms, sensors and phones that speak the real protocols over real sockets.

Nothing here knows the cloud: a simulator is told a host and a port, as a device would be.
"""
