"""What this room holds about a person: their phones, what they were told and want to be told, and when they answer."""

from pydantic import JsonValue
from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.identity.people.models import User
from cloud_api.identity.privacy.holders import Holder
from cloud_api.notifications import contacts, on_call, preferences
from cloud_api.notifications.models import Notification, NotificationSettings, OnCallMember, Phone
from cloud_api.notifications.schemas import MemberRead


async def tell(db: AsyncSession, user: User) -> JsonValue:
    """Phones and messages; a registration is the phone's secret, and stays out."""
    phones = await db.scalars(select(Phone).where(Phone.user_id == user.id).order_by(Phone.id))
    messages = await db.scalars(
        select(Notification).where(Notification.user_id == user.id).order_by(Notification.id.desc())
    )
    settings = await preferences.read_settings(db, user.id)
    duties = await db.scalars(select(OnCallMember).where(OnCallMember.user_id == user.id).order_by(OnCallMember.id))
    return {
        "settings": settings.model_dump(mode="json"),
        "on_call": [MemberRead.of(duty).model_dump(mode="json", exclude={"user_id"}) for duty in duties],
        "phones": [{"platform": phone.platform, "registered_at": phone.registered_at.isoformat()} for phone in phones],
        "messages": [
            {"title": message.title, "message": message.message, "at": message.created_at.isoformat()}
            for message in messages
        ],
    }


async def erase(db: AsyncSession, user: User) -> None:
    """Forget their phones and what they were told, as a customer too; not heard by the trail, which would keep it."""
    await on_call.leave_all(db, user.id)
    await contacts.forget(db, [user.phone, user.email])
    await db.execute(delete(NotificationSettings).where(NotificationSettings.user_id == user.id))
    await db.execute(delete(Notification).where(Notification.user_id == user.id))
    await db.execute(delete(Phone).where(Phone.user_id == user.id))


PERSONAL_DATA = Holder("notifications", tell, erase)
