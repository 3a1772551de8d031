"""`/console/products/{id}/price`: what so much of a product costs on a day, by its lists."""

from fastapi import Request, Response

from cloud_api.console.asking import Refused
from cloud_api.console.forms import Form
from cloud_api.console.pages import show
from cloud_api.console.products.listing import PRODUCTS
from cloud_api.console.route import AtDesk, Looking, console_router

router = console_router("/products")

_ASKED = ("quantity", "on", "weight_g")


@router.get("/{id}/price")
async def show_price(request: Request, desk: AtDesk, visitor: Looking, id: str) -> Response:
    """A part of the product's page: the question, and its answer once somebody has asked."""
    asked = request.query_params
    product = await desk.get(f"{PRODUCTS}/{id}")
    form = Form.of({name: asked.get(name, "") for name in (*_ASKED, "variant_id")})
    form.values["quantity"] = form.get("quantity") or "1"
    form.values["on"] = form.get("on") or visitor.today().isoformat()
    variants = (await desk.page(f"{PRODUCTS}/{id}/variants", limit=50)).items
    quote = None
    if "quantity" in asked:
        of = f"/variants/{form.get('variant_id')}" if form.get("variant_id") else ""
        try:
            quote = await desk.get(f"{PRODUCTS}/{id}{of}/price", **form.body(*_ASKED))
        except Refused as refused:
            form.refuse(refused)
    named = [(one["id"], one["name"]) for one in variants]
    return show(request, "products/price.html", product=product, form=form, quote=quote, variants=named)
