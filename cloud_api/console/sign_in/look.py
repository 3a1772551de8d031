"""How an organisation looks before anybody has signed in."""

import re

from fastapi import Request

from cloud_api.console.asking import Desk, Refused, together
from cloud_api.console.look import Look, look_of

_SLUG = re.compile(r"[a-z0-9][a-z0-9-]{1,62}")


async def asked_look(request: Request, desk: Desk, slug: str = "") -> Look:
    """Of the organisation whose short name stands in the address, or in the form that was sent."""
    slug = (slug or request.query_params.get("organization", "")).strip().lower()
    if not _SLUG.fullmatch(slug):
        return Look()
    try:
        branding, providers = await together(
            desk.get(f"/organizations/{slug}/branding"), desk.get("/auth/oauth/providers", organization=slug)
        )
    except Refused:
        return Look()
    return look_of(branding, slug, tuple(providers))
