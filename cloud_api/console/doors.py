"""Every page of the console, in one place."""

from fastapi import APIRouter, Request, Response

from cloud_api.console.assets.routes import router as assets
from cloud_api.console.browser_parts import static_file
from cloud_api.console.cold_rooms.routes import router as cold_rooms
from cloud_api.console.customers.doors import router as customer_doors
from cloud_api.console.customers.routes import router as customers
from cloud_api.console.deliveries.routes import router as deliveries
from cloud_api.console.dispatch.routes import router as dispatch
from cloud_api.console.driver.routes import parts as driver_parts
from cloud_api.console.driver.routes import router as driver
from cloud_api.console.exchange.routes import router as exchange
from cloud_api.console.excursions.alerts import router as alerts
from cloud_api.console.excursions.routes import router as excursions
from cloud_api.console.finding.routes import router as finding
from cloud_api.console.first_steps.routes import router as first_steps
from cloud_api.console.fleet.routes import router as fleet
from cloud_api.console.gateways.routes import router as gateways
from cloud_api.console.geofences.events import router as geofence_events
from cloud_api.console.geofences.routes import router as geofences
from cloud_api.console.handling.routes import router as handling
from cloud_api.console.home.routes import router as home
from cloud_api.console.lots.routes import router as lots
from cloud_api.console.management.routes import router as management
from cloud_api.console.maps.routes import router as maps
from cloud_api.console.me.routes import router as me
from cloud_api.console.notices.routes import router as notices
from cloud_api.console.orders.cash import router as cash
from cloud_api.console.orders.listing import router as order_list
from cloud_api.console.orders.routes import router as orders
from cloud_api.console.orders.slots import router as slots
from cloud_api.console.orders.taking import router as order_taking
from cloud_api.console.organizations.routes import router as organizations
from cloud_api.console.people.routes import router as people
from cloud_api.console.people.teams import router as teams
from cloud_api.console.performance.routes import router as performance
from cloud_api.console.picking.one_order import router as picking_one
from cloud_api.console.picking.routes import router as picking
from cloud_api.console.places.routes import router as places
from cloud_api.console.products.routes import router as products
from cloud_api.console.returns.routes import router as returns
from cloud_api.console.rules.on_call import router as on_call_lists
from cloud_api.console.rules.policies import router as policies
from cloud_api.console.rules.routes import router as rules
from cloud_api.console.security.routes import router as security
from cloud_api.console.sessions import HOME
from cloud_api.console.settings.routes import router as settings
from cloud_api.console.sign_in.routes import leaving
from cloud_api.console.sign_in.routes import router as sign_in
from cloud_api.console.stock.routes import router as stock
from cloud_api.console.views.routes import router as views

parts = APIRouter(include_in_schema=False)


@parts.get(f"{HOME}/static/{{name}}")
async def get_static(request: Request, name: str) -> Response:
    """A script, a style, the icons."""
    return static_file(request, name)


#: static paths stand before their siblings with an id
ROOMS = (
    parts,
    sign_in,
    leaving,
    home,
    management,
    performance,
    people,
    teams,
    organizations,
    exchange,
    first_steps,
    finding,
    views,
    me,
    security,
    settings,
    notices,
    deliveries,
    maps,
    geofence_events,
    geofences,
    driver_parts,
    driver,
    fleet,
    cash,
    slots,
    order_list,
    order_taking,
    orders,
    customers,
    customer_doors,
    returns,
    picking_one,
    picking,
    gateways,
    alerts,
    excursions,
    on_call_lists,
    policies,
    rules,
    cold_rooms,
    stock,
    places,
    lots,
    products,
    handling,
    assets,
    dispatch,
)
