"""Somebody has signed in: they are given their cookies, and go where they wanted to."""

from typing import Any

from fastapi import Request, Response
from fastapi.responses import RedirectResponse

from cloud_api.console import sessions
from cloud_api.console.asking import Refused
from cloud_api.kernel.permissions import grants

_FIRST_STEPS = f"{sessions.HOME}/first-steps"


async def come_in(request: Request, said: dict[str, Any], wanted: str) -> Response:
    """To the page they wanted; a new organisation's administrator, to the first steps.

    Args:
        said: the API's answer to the sign-in.
        wanted: the page, as the address of the sign-in has it.
    """
    tokens = sessions.given(said)
    goal = sessions.safe_next(wanted)
    if goal == sessions.HOME and await _begins(request, tokens.access, said["user"]):
        goal = _FIRST_STEPS
    response = RedirectResponse(goal, 303)
    sessions.keep(request, response, tokens)
    return response


async def _begins(request: Request, token: str, person: dict[str, Any]) -> bool:
    """Whether the organisation is still to be set up, by this person."""
    if not grants(person["permissions"], "organizations:write"):
        return False
    try:
        begun = await sessions.desk_of(request, token).get(f"/organizations/{person['organization']['id']}/onboarding")
    except Refused:  # a duty comes first: the overview leads there
        return False
    return not begun["completed"] and not any(step["completed_at"] for step in begun["steps"])
