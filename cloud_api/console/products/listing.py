"""`/console/products`: what is kept and sold, found by its beginning, its category and its state."""

from collections.abc import Mapping, Sequence

from fastapi import Request, Response
from fastapi.responses import JSONResponse

from cloud_api.console import files
from cloud_api.console.asking import Answer, Desk, Refused, together
from cloud_api.console.choices import options
from cloud_api.console.pages import Visitor, show
from cloud_api.console.products.keywords import keywords_of
from cloud_api.console.route import AtDesk, Looking, console_router
from cloud_api.console.tables import asked_for, table

router = console_router("/products")

PRODUCTS = "/warehouse/products"
CATEGORIES = f"{PRODUCTS}/categories"
STATES = ("active", "inactive", "discontinued")
TYPES = ("finished_good", "raw_material", "packaging", "bundle")
#: letters from which on words are looked for, and not only beginnings
_FOUND_BY_WORDS = 3
_SUGGESTED = 8
_FILTERS = ("search", "category_id", "tag_id", "status", "product_type")


@router.get("")
async def show_products(request: Request, desk: AtDesk, visitor: Looking) -> Response:
    """Products, as the filters say."""
    listed, categories, keywords = await together(
        table(request, desk, PRODUCTS, filters=_FILTERS), categories_of(desk), keywords_of(desk)
    )
    states, types = visitor.writing.words(STATES), visitor.writing.words(TYPES)
    return show(
        request, "products/products.html", table=listed, categories=categories, states=states, types=types,
        keywords=options(keywords),
    )  # fmt: skip


@router.get("/export")
async def export_products(request: Request, desk: AtDesk, visitor: Looking) -> Response:
    """All that the filters leave, as a file."""
    products, categories = await together(
        desk.every(PRODUCTS, most=files.MOST_ROWS, **asked_for(request, _FILTERS)), categories_of(desk)
    )
    say, named = visitor.say, dict(categories)
    head = [
        say("Number"), say("Name"), say("Category"), say("Brand"), say("Type"), say("Status"), say("Counted in"),
        say("Weight of a unit, in grams"), say("GTIN"), say("Price"), say("Cost"), say("Shelf life, days"),
        say("At least, °C"), say("At most, °C"), say("Order at"), say("Order so much"),
    ]  # fmt: skip
    rows = (_cells(product, named, visitor) for product in products)
    return files.table_file(request, "products", head, rows)


@router.get("/suggest")
async def suggest(request: Request, desk: AtDesk) -> Response:
    """Products that begin as what is being typed, or nearly so; before much is typed, those that begin so."""
    word = request.query_params.get("q", "").strip()
    try:
        if len(word) < _FOUND_BY_WORDS:
            rows = (await desk.page(PRODUCTS, search=word, status="active", sort="name", limit=_SUGGESTED)).items
            found = [(row["id"], row["name"], row["sku"]) for row in rows]
        else:
            hits = (await desk.get("/search", q=word, kind="product", limit=_SUGGESTED))["hits"]
            found = [(hit["id"], hit["title"], hit["code"]) for hit in hits]
    except Refused:
        found = []
    return JSONResponse(
        [{"id": id, "text": name, "note": code, "href": f"/console/products/{id}"} for id, name, code in found]
    )


async def categories_of(desk: Desk) -> list[tuple[str, str]]:
    """Categories to choose from, each with those above it: `Greens › Herbs`."""
    found = await desk.every(CATEGORIES)
    by_key = {one["id"]: one for one in found}
    return sorted(((one["id"], " › ".join(_path(one, by_key))) for one in found), key=lambda pair: pair[1].lower())


def _cells(product: Answer, categories: Mapping[str, str], visitor: Visitor) -> list[files.Cell]:
    word = visitor.writing.word
    return [
        product["sku"],
        product["name"],
        categories.get(product["category_id"]),
        product["brand"],
        word(product["product_type"]),
        word(product["status"]),
        product["unit"],
        product["unit_weight_g"],
        product["gtin"],
        files.amount(product["price"]),
        files.amount(product["cost_price"]),
        product["shelf_life_days"],
        product["storage_temperature_min_c"],
        product["storage_temperature_max_c"],
        files.amount(product["reorder_point"]),
        files.amount(product["reorder_quantity"]),
    ]


def _path(category: Answer, by_key: dict[str, Answer]) -> Sequence[str]:
    path = [str(category["name"])]
    above = by_key.get(category["parent_id"])
    while above is not None and len(path) < 10:
        path.insert(0, str(above["name"]))
        above = by_key.get(above["parent_id"])
    return path
