"""Reads that more than one verb needs."""

import uuid

from sqlalchemy import Select, Uuid, column, select, table

from cloud_api.configuration.models import SettingValue

#: identity's, which stands above this room; every key of the walls points at it by this name
_ORGANIZATIONS = table("organizations", column("id", Uuid()), column("slug"))


def values_set_by(organization_id: uuid.UUID) -> Select[tuple[SettingValue]]:
    """What the organisation has set."""
    return select(SettingValue).where(SettingValue.organization_id == organization_id).order_by(SettingValue.key)


def values_set_by_slug(slug: str) -> Select[tuple[SettingValue]]:
    """The same by the organisation's slug, for sessions across organisations: nothing when there is none."""
    owner = select(_ORGANIZATIONS.c.id).where(_ORGANIZATIONS.c.slug == slug).scalar_subquery()
    return select(SettingValue).where(SettingValue.organization_id == owner)
