"""`/t/{token}`: the page on which whoever waits for an order sees it come."""

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from cloud_api.kernel.http import ApiRoute
from cloud_api.logistics.tracking import customer_page
from cloud_api.logistics.tracking.errors import LinkUnknown
from cloud_api.logistics.tracking.words import language_of

pages = APIRouter(route_class=ApiRoute, include_in_schema=False)

_HEADERS = {
    "Content-Security-Policy": customer_page.POLICY,
    "Cache-Control": "no-store",
    "X-Robots-Tag": "noindex, nofollow",
}


@pages.get("/t/{token}", response_model=None)
async def follow_order_page(request: Request, token: str) -> HTMLResponse:
    """The page; where there is nothing to see, one that says what to do."""
    try:
        followed = await customer_page.public_progress(request.app.state.database, token)
    except LinkUnknown:
        # nobody knows whose it was: the browser says its language
        wanted = request.headers.get("Accept-Language", "")[:2].lower()
        return HTMLResponse(customer_page.render_unknown(language_of(wanted)), 404, headers=_HEADERS)
    return HTMLResponse(customer_page.render(followed), headers=_HEADERS)
