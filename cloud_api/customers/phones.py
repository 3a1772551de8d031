"""Telephone numbers as they are called from anywhere: E.164, read by the country of the organisation."""

import phonenumbers
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.configuration import definitions
from cloud_api.configuration import service as configuration
from cloud_api.customers.models import backwards

#: of an organisation whose locale names no country
_REGION = "IN"
#: digits that are looked for
_SHORTEST, _LONGEST = 4, 10


def end_of(text: str) -> str:
    """The last digits of what somebody typed, as `models.backwards` has them; a country before them is left out.

    Empty: it is too short to be looked for, or no number.
    """
    bare = "".join(character for character in text if character not in " ()-.+")
    return backwards(bare)[:_LONGEST] if bare.isascii() and bare.isdigit() and len(bare) >= _SHORTEST else ""


def e164(text: str, region: str) -> str | None:
    """A number in E.164, as `+919812345678`; None when there is no such number.

    Args:
        region: ISO 3166 code of the country whose habits a number without `+` follows.
    """
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number):
        return None
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))


async def callable_number(db: AsyncSession, text: str) -> str:
    """The same by the country of the session's organisation; empty when there is no such number."""
    return (e164(text, await region_of(db)) or "") if text else ""


async def region_of(db: AsyncSession) -> str:
    """The country of the organisation's locale: `IN` of `en-IN`."""
    last = (await configuration.value(db, definitions.LOCALE)).split("-")[-1]
    return last if last.isupper() and len(last) == 2 else _REGION
