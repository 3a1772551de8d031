"""What programs sign in with: API keys and OAuth clients. Of their secrets only hashes are kept."""

import uuid
from datetime import datetime

from sqlalchemy import JSON
from sqlalchemy.orm import Mapped, mapped_column

from cloud_api.kernel.db import Base
from cloud_api.kernel.tenancy import OrganizationOwned
from cloud_api.kernel.vault import Sealed


class MachineCredential(OrganizationOwned):
    """What both have. They belong to the organisation, not to who made them, and outlive their maker's account."""

    name: Mapped[str]
    #: of a secret with 256 random bits: nothing slower is needed
    secret_sha256: Mapped[str]
    #: the secret before the last rotation, while it is still taken
    previous_sha256: Mapped[str | None]
    previous_valid_until: Mapped[datetime | None]
    #: permissions, wildcards as they were given
    scopes: Mapped[list[str]] = mapped_column(JSON)
    #: to the minute
    last_used_at: Mapped[datetime | None] = mapped_column(info={"audited": False})
    #: the person or machine
    created_by: Mapped[uuid.UUID | None]
    created_at: Mapped[datetime]


class ApiKey(MachineCredential, Base):
    """A key that a program sends with every request."""

    __tablename__ = "api_keys"

    #: the part of the key that is no secret, by which it is found
    prefix: Mapped[str] = mapped_column(unique=True)
    #: signs sensitive requests (`kernel.signing`); never sent, and opened for them only
    signing_secret: Mapped[str] = mapped_column(Sealed, deferred=True)
    #: where it may be used; everywhere when empty
    ip_ranges: Mapped[list[str]] = mapped_column(JSON)
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class OAuthClient(MachineCredential, Base):
    """A program that trades its secret for access tokens of an hour."""

    __tablename__ = "oauth_clients"

    client_id: Mapped[str] = mapped_column(unique=True)
    removed_at: Mapped[datetime | None]
