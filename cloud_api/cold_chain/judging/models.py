"""How rules stand."""

import uuid

from sqlalchemy import JSON, BigInteger, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from cloud_api.kernel.db import Base
from cloud_api.kernel.tenancy import OrganizationOwned, same_organization


class RuleState(OrganizationOwned, Base):
    """How one sensor stands with one rule: `gateway.rules.State`, kept while it is not clear."""

    __tablename__ = "alert_rule_states"
    __audited__ = False
    __table_args__ = (
        UniqueConstraint("sensor_id", "rule_id"),
        same_organization("sensor_id", "sensors"),
        same_organization("rule_id", "alert_rules"),
    )

    sensor_id: Mapped[uuid.UUID]
    rule_id: Mapped[uuid.UUID]
    phase: Mapped[str] = mapped_column(default="clear")
    started_at_ms: Mapped[int | None] = mapped_column(BigInteger)
    peak: Mapped[float | None]
    last_at_ms: Mapped[int | None] = mapped_column(BigInteger)
    value: Mapped[float | None]
    latch: Mapped[str | None]
    window: Mapped[list[list[float]]] = mapped_column(JSON, default=list)
    spent_ms: Mapped[int] = mapped_column(BigInteger, default=0)
    #: the value holds, and time alone may raise the alarm
    ticks: Mapped[bool] = mapped_column(default=False)


class GatewaySilence(OrganizationOwned, Base):
    """That a gateway says nothing, or since when it speaks again."""

    __tablename__ = "gateway_silences"
    __audited__ = False
    __table_args__ = (UniqueConstraint("gateway_id"), same_organization("gateway_id", "gateways"))

    gateway_id: Mapped[uuid.UUID]
    #: when it was heard last, while it is silent; None: it speaks
    since_ms: Mapped[int | None] = mapped_column(BigInteger)
    #: when it was noticed to speak again: its sensors get as long anew
    back_at_ms: Mapped[int | None] = mapped_column(BigInteger)
