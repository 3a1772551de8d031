"""`/api/v1/auth/oauth` and `/api/v1/auth/ldap`: signing in through the organisation's own provider.

An OpenID sign-in in three steps, of which the page has two:

1. `GET /auth/oauth/{provider}/authorize` answers where to send the browser, and a `binding`. The page keeps that in
   this browser (`sessionStorage`, never in a URL) and goes.
2. The provider sends the browser back to the page with `code` and `state`.
3. `POST /auth/oauth/{provider}/callback` takes both, and the `binding`. It answers like `/auth/login`.

Who sends somebody else a link with their own `code` and `state` gains nothing: that browser has no binding for it.
"""

import uuid
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.identity.federation import service
from cloud_api.identity.federation.dependencies import AttemptedAtDirectory, CameBack, Published
from cloud_api.identity.federation.schemas import DirectoryLogin, ProviderShown, SignInAnswer, SignInBegun
from cloud_api.identity.sessions.dependencies import Device, SignInDb, challenge_read, tokens_of
from cloud_api.identity.sessions.schemas import ChallengeRead, TokensRead
from cloud_api.identity.sessions.service import Challenge
from cloud_api.kernel.http import ApiRoute
from cloud_api.kernel.unit_of_work import system_unit_of_work

router = APIRouter(prefix="/auth", tags=["auth"], route_class=ApiRoute)

PublicDb = Annotated[AsyncSession, Depends(system_unit_of_work("tell how people sign in"), scope="function")]
Organization = Annotated[str, Query(max_length=120, pattern=r"^[^\x00]*$", description="its short name")]


@router.get("/oauth/providers", response_model=list[ProviderShown])
async def get_sign_in_providers(request: Request, db: PublicDb, organization: Organization) -> list[ProviderShown]:
    """How an organisation's people sign in, beside passwords; nothing for a short name that is nobody's."""
    return [
        ProviderShown.model_validate(
            {
                "display_name": provider.display_name,
                "kind": provider.kind,
                "authorize_url": str(request.url_for("begin_oauth_sign_in", provider=provider.id).path)
                if provider.kind == "oidc"
                else None,
            }
        )
        for provider in await service.providers_shown(db, organization)
    ]


@router.get("/oauth/{provider}/authorize", response_model=SignInBegun)
async def begin_oauth_sign_in(published: Published, db: SignInDb, provider: uuid.UUID) -> service.Begun:
    """Where to send the browser (authorization code, PKCE, state, nonce), and the binding that it keeps meanwhile."""
    return await service.begin_sign_in(db, *published)


@router.post("/oauth/{provider}/callback", response_model=TokensRead | ChallengeRead)
async def finish_oauth_sign_in(
    request: Request, came_back: CameBack, db: SignInDb, provider: uuid.UUID, body: SignInAnswer, device: Device
) -> TokensRead | ChallengeRead:
    """Trade the provider's answer for a sign-in. A second factor of ours is asked for unless the provider saw one."""
    outcome = await service.sign_in(db, came_back, device)
    return challenge_read(outcome) if isinstance(outcome, Challenge) else await tokens_of(request, db, outcome)


@router.post("/ldap/login", response_model=TokensRead | ChallengeRead)
async def sign_in_by_directory(
    request: Request, attempt: AttemptedAtDirectory, db: SignInDb, body: DirectoryLogin, device: Device
) -> TokensRead | ChallengeRead:
    """By the organisation's directory. A second factor that is in force here is asked for."""
    outcome = await service.sign_in_by_directory(db, attempt, device)
    return challenge_read(outcome) if isinstance(outcome, Challenge) else await tokens_of(request, db, outcome)
