"""Who may speak of a gateway: the gateway itself, and people with a permission."""

import uuid

from cloud_api.kernel.errors import Forbidden
from cloud_api.kernel.permissions import Principal


def only_itself(principal: Principal, gateway_id: uuid.UUID) -> None:
    """Let the gateway with this id pass.

    Raises:
        Forbidden: for everybody else.
    """
    if not is_itself(principal, gateway_id):
        raise Forbidden("only the gateway itself may do this")


def itself_or(permission: str, principal: Principal, gateway_id: uuid.UUID) -> bool:
    """Whether it is the gateway with this id that asks, and not somebody who has the permission.

    Raises:
        Forbidden: when it is neither.
    """
    if is_itself(principal, gateway_id):
        return True
    if principal.kind == "gateway" or not principal.may(permission):
        raise Forbidden(f"this needs the permission {permission}, or to be the gateway itself")
    return False


def is_itself(principal: Principal, gateway_id: uuid.UUID) -> bool:
    """Whether the principal is the gateway with this id."""
    return principal.kind == "gateway" and principal.id == gateway_id
