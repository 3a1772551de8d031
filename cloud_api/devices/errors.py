"""What can go wrong with gateways."""

from cloud_api.kernel.errors import Conflict, Forbidden, Unauthenticated


class WrongClaimCode(Forbidden):
    """Unknown, used by another gateway, or too old: one answer."""

    code = "WRONG_CLAIM_CODE"

    def __init__(self) -> None:
        super().__init__(
            "this claim code is not valid (any more): draw a new one with POST /api/v1/edge/gateways/{id}/claim-code",
            field="claim_code",
        )


class GatewayUnknown(Unauthenticated):
    """The credential is wrong, or the gateway was taken out of service."""

    code = "GATEWAY_UNKNOWN"

    def __init__(self) -> None:
        super().__init__("this gateway's credential is not valid: provision it again with a new claim code")


class GatewayDecommissioned(Conflict):
    """It was taken out of service, for good."""

    code = "GATEWAY_DECOMMISSIONED"

    def __init__(self) -> None:
        super().__init__("this gateway was taken out of service: register another with POST /api/v1/edge/gateways")
