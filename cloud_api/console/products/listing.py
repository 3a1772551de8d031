"""`/console/products`: what is kept and sold, found by its beginning, its category and its state."""

from collections.abc import Sequence

from fastapi import Request, Response
from fastapi.responses import JSONResponse

from cloud_api.console.asking import Answer, Desk, Refused, together
from cloud_api.console.pages import attachment, show
from cloud_api.console.route import AtDesk, Looking, console_router
from cloud_api.console.tables import table

router = console_router("/products")

PRODUCTS = "/warehouse/products"
STATES = ("active", "inactive", "discontinued")
TYPES = ("finished_good", "raw_material", "packaging", "bundle")
_FILTERS = ("search", "category_id", "status", "product_type")


@router.get("")
async def show_products(request: Request, desk: AtDesk, visitor: Looking) -> Response:
    """Products, as the filters say."""
    listed, categories = await together(table(request, desk, PRODUCTS, filters=_FILTERS), categories_of(desk))
    word = visitor.writing.word
    return show(
        request, "products/products.html", table=listed, categories=categories,
        states=[(one, word(one)) for one in STATES], types=[(one, word(one)) for one in TYPES],
    )  # fmt: skip


@router.get("/suggest")
async def suggest(request: Request, desk: AtDesk) -> Response:
    """Products that begin as what is being typed, or nearly so; choosing one opens it."""
    try:
        hits = (await desk.get("/search", q=request.query_params.get("q", ""), kind="product", limit=8))["hits"]
    except Refused:
        hits = []
    return JSONResponse(
        [{"text": hit["title"], "note": hit["code"], "href": f"/console/products/{hit['id']}"} for hit in hits]
    )


@router.get("/products.csv")
async def export_products(desk: AtDesk) -> Response:
    """All products as a file, which the import takes again."""
    file = await desk.raw(f"{PRODUCTS}/export", format="csv")
    return attachment(file.content, "text/csv; charset=utf-8", "products.csv")


async def categories_of(desk: Desk) -> list[tuple[str, str]]:
    """Categories to choose from, each with those above it: `Greens › Herbs`."""
    found = await desk.every(f"{PRODUCTS}/categories")
    by_key = {one["id"]: one for one in found}
    return sorted(((one["id"], " › ".join(_path(one, by_key))) for one in found), key=lambda pair: pair[1].lower())


def _path(category: Answer, by_key: dict[str, Answer]) -> Sequence[str]:
    path = [str(category["name"])]
    above = by_key.get(category["parent_id"])
    while above is not None and len(path) < 10:
        path.insert(0, str(above["name"]))
        above = by_key.get(above["parent_id"])
    return path
