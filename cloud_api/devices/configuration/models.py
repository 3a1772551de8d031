"""What gateways are to do, version by version, and the key that signs it."""

import uuid
from datetime import datetime

from sqlalchemy import CheckConstraint, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from cloud_api.kernel.db import Base
from cloud_api.kernel.tenancy import OrganizationOwned, PlatformWide, same_organization
from cloud_api.kernel.vault import Sealed


class GatewayConfigVersion(OrganizationOwned, Base):
    """What a gateway is to do. A version's content never changes; what became of it does."""

    __tablename__ = "gateway_configs"
    __audited__ = False
    __table_args__ = (
        UniqueConstraint("gateway_id", "version"),
        same_organization("gateway_id", "gateways"),
    )

    gateway_id: Mapped[uuid.UUID]
    version: Mapped[int]
    #: `gateway.contract.GatewayConfig`, as JSON
    config: Mapped[dict[str, object]]
    #: the person or program; None: it followed from something else, such as a sensor's new place
    created_by: Mapped[uuid.UUID | None]
    created_at: Mapped[datetime]
    #: offered, until the gateway has said what became of it in its own words: `gateway.contract.ConfigAck`
    state: Mapped[str] = mapped_column(default="offered")
    #: when the gateway said so, by its own clock
    acknowledged_at: Mapped[datetime | None]
    reason: Mapped[str] = mapped_column(default="")


class ConfigKey(PlatformWide, Base):
    """The one pair of Ed25519 keys with which the platform signs what it tells gateways to do."""

    __tablename__ = "config_keys"
    __audited__ = False  # made by whichever request needs it first: nobody's deed
    __table_args__ = (CheckConstraint("id = 1", name="one_row"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False, default=1)
    #: 32 bytes in hexadecimal digits, like the public one
    private_key: Mapped[str] = mapped_column(Sealed)
    public_key: Mapped[str]
    created_at: Mapped[datetime]
