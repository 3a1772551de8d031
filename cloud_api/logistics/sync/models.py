"""Phones' keys, the commands that they sealed, and what each driver has still to hear."""

import uuid
from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, Index, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from cloud_api.kernel.db import Base
from cloud_api.kernel.tenancy import OrganizationOwned, same_organization

ALGORITHMS = ("ed25519", "p256")
#: what became of a command; waiting: for an earlier one, for a photo, or for its turn
RESULTS = ("waiting", "applied", "duplicate", "refused", "conflict")
FEED_KINDS = ("route", "stop", "message")


class PhoneKey(OrganizationOwned, Base):
    """The public half of a key that a driver's phone made; with it begins a log, numbered from 1."""

    __tablename__ = "phone_keys"
    __table_args__ = (
        UniqueConstraint("organization_id", "public_sha256"),
        CheckConstraint(f"algorithm IN {ALGORITHMS}", name="algorithm"),
        same_organization("user_id", "users"),
    )

    user_id: Mapped[uuid.UUID] = mapped_column(index=True)
    #: the phone's own id, as it signs in with
    device_id: Mapped[str]
    algorithm: Mapped[str]
    #: SubjectPublicKeyInfo (RFC 5280), DER in base 64
    public_key: Mapped[str]
    public_sha256: Mapped[str]
    #: the sign-in that showed it last: it goes when that is ended on the phone
    session_id: Mapped[uuid.UUID | None] = mapped_column(info={"audited": False})
    registered_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    #: signed_out, replaced, or why a dispatcher did it
    revoke_reason: Mapped[str] = mapped_column(default="")
    #: how far the phone's clock was behind ours when it was heard last, in milliseconds
    skew_ms: Mapped[int | None] = mapped_column(BigInteger, info={"audited": False})
    heard_at: Mapped[datetime | None] = mapped_column(info={"audited": False})
    #: when somebody responsible was last told that its log does not fit together
    suspected_at: Mapped[datetime | None]


class PhoneCommand(OrganizationOwned, Base):
    """One entry of a phone's log, as it was sealed, with what became of it.

    Append-only: what was sealed never changes. Its result is written once it is final.
    """

    __tablename__ = "phone_commands"
    __audited__ = False
    __table_args__ = (
        UniqueConstraint("key_id", "number"),
        CheckConstraint("number >= 1", name="number"),
        CheckConstraint(f"result IN {RESULTS}", name="result"),
        Index("ix_phone_commands_command_id", "organization_id", "command_id"),
        Index("ix_phone_commands_result", "organization_id", "result", "id"),
        Index("ix_phone_commands_photo", "organization_id", "waits_for_photo"),
        same_organization("key_id", "phone_keys"),
    )

    key_id: Mapped[uuid.UUID]
    number: Mapped[int]
    previous_hash: Mapped[str]
    hash: Mapped[str]
    signature: Mapped[str]
    #: the sealed text; empty once a batch of positions lies where positions are kept, and forgotten with them
    command: Mapped[str] = mapped_column(Text)
    #: the phone's own id of the command; None: nobody can read it
    command_id: Mapped[uuid.UUID | None]
    kind: Mapped[str]
    #: the route or delivery it is about
    target_id: Mapped[uuid.UUID | None] = mapped_column(index=True)
    #: by the phone's clock
    phone_at: Mapped[datetime | None]
    #: by ours, as far as that can be known
    happened_at: Mapped[datetime | None]
    skew_ms: Mapped[int] = mapped_column(BigInteger)
    received_at: Mapped[datetime]
    result: Mapped[str]
    code: Mapped[str] = mapped_column(default="")
    message: Mapped[str] = mapped_column(default="")
    field: Mapped[str] = mapped_column(default="")
    #: SHA-256 of the picture that has not arrived
    waits_for_photo: Mapped[str | None]
    answered_at: Mapped[datetime | None]


class PhoneFeedHead(OrganizationOwned, Base):
    """Where a driver's feed ends. Who adds to the feed locks this row first: no later commit has a smaller number."""

    __tablename__ = "phone_feed_heads"
    __audited__ = False
    __table_args__ = (UniqueConstraint("organization_id", "driver_id"), same_organization("driver_id", "users"))

    driver_id: Mapped[uuid.UUID]
    sequence: Mapped[int] = mapped_column(default=0)
    #: what was taken away up to this number has been forgotten
    forgotten_through: Mapped[int] = mapped_column(default=0)


class PhoneFeedItem(OrganizationOwned, Base):
    """A route, stop or message that a driver has heard of, at the place of its last change."""

    __tablename__ = "phone_feed_items"
    __audited__ = False
    __table_args__ = (
        UniqueConstraint("organization_id", "driver_id", "kind", "subject_id"),
        CheckConstraint(f"kind IN {FEED_KINDS}", name="kind"),
        Index("ix_phone_feed_items_sequence", "organization_id", "driver_id", "sequence"),
        Index("ix_phone_feed_items_route_id", "organization_id", "route_id"),
        same_organization("driver_id", "users"),
    )

    driver_id: Mapped[uuid.UUID]
    kind: Mapped[str]
    subject_id: Mapped[uuid.UUID]
    #: of a stop: the route on which the driver has it
    route_id: Mapped[uuid.UUID | None]
    sequence: Mapped[int]
    #: of what was told last: what looks the same is not told again
    fingerprint: Mapped[str]
    #: it is not the driver's any more
    gone: Mapped[bool] = mapped_column(default=False)
    changed_at: Mapped[datetime]
