"""What can stop a gateway. Each message is one plain sentence that says what to do."""


class GatewayError(Exception):
    """The operator must act; the command line shows the message and ends."""


class ConfigError(GatewayError):
    """The settings cannot be used."""


class ListenError(GatewayError):
    """The address for the sensors cannot be had."""


class SpoolError(GatewayError):
    """The spool cannot be opened."""


class ClaimRefused(GatewayError):
    """The cloud does not know the claim code, or somebody else has used it."""


class StateError(GatewayError):
    """A small file of the data folder cannot be used."""
