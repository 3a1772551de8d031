"""Drivers' phones: one that is always online (`Phone`), and one that works without signal (`Driver`)."""

from device_sims.phone.driver import Driver
from device_sims.phone.online import DriveReport, Phone
from device_sims.phone.outcomes import DayReport, Outcome, Stop
from device_sims.phone.road import distance_m, photograph
from device_sims.phone.signal import AlwaysSignal, DeadZones
from device_sims.phone.syncing import Chaos
from device_sims.phone.wire import PhoneProblem

__all__ = [
    "AlwaysSignal",
    "Chaos",
    "DayReport",
    "DeadZones",
    "DriveReport",
    "Driver",
    "Outcome",
    "Phone",
    "PhoneProblem",
    "Stop",
    "distance_m",
    "photograph",
]
