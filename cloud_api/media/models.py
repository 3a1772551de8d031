"""Files that people sent: the bytes lie in a folder under their hash, what is known of them here."""

from datetime import datetime

from sqlalchemy import UniqueConstraint
from sqlalchemy.orm import Mapped

from cloud_api.kernel.db import Base
from cloud_api.kernel.tenancy import OrganizationOwned


class Media(OrganizationOwned, Base):
    """One file. The same bytes are kept once for each organisation."""

    __tablename__ = "media"
    __table_args__ = (UniqueConstraint("organization_id", "sha256"),)

    sha256: Mapped[str]
    mime: Mapped[str]
    size_bytes: Mapped[int]
    received_at: Mapped[datetime]
