"""What can go wrong on the road."""

from cloud_api.kernel.errors import Conflict, Invalid


class ProofIncomplete(Conflict):
    """A delivery needs a photo that has arrived here."""

    code = "PROOF_INCOMPLETE"


class StopsOpen(Conflict):
    """A route ends when every stop has."""

    code = "STOPS_OPEN"


class UnloadingPlaceMissing(Invalid):
    """Goods came back, and nobody says where they were put."""

    code = "UNLOADING_PLACE_MISSING"
