"""The farm that the demonstration shows: made over the API, as an administrator would make it."""

from dataclasses import dataclass

import httpx2

from coldfleet.demo.api import GIVEN_PASSWORD, PASSWORD, Api

#: the sensors as Zigbee2MQTT names them, by room
SENSORS = {"Cold room 1": "cold-room-1", "Cold room 2": "cold-room-2"}
LIMIT_C = 8.0
CLEAR_C = 7.0
LIMIT_DURATION_S = 300
#: (product, lot, quantity, room)
STOCK = (
    ("SPINACH", "SPINACH-A", "120.000", "Cold room 1"),
    ("MILK", "MILK-A", "80.000", "Cold room 1"),
    ("SPINACH", "SPINACH-A", "60.000", "Cold room 2"),
)
#: what is left in Cold room 2 when the break `reserve` leaves too little to sell
TOO_LITTLE = "5.000"
STORE = {"latitude": 12.9340, "longitude": 77.6101}
DRIVERS = ("driver-1", "driver-2")
#: two orders each
VAN_CAPACITY_G = 10_000
PRODUCTS = (("SPINACH", "Spinach, washed", "kg"), ("MILK", "Milk, pasteurised", "liter"))


@dataclass(frozen=True)
class Farm:
    """What was made."""

    warehouse_id: str
    #: stock-keeping number -> product id
    products: dict[str, str]
    #: room -> location id
    rooms: dict[str, str]
    rule_id: str
    gateway_id: str
    claim_code: str
    #: the administrator's phone, as the push service knows it
    phone_fid: str


def build_farm(
    api: Api,
    fcm_url: str,
    *,
    books_name_another_room: bool = False,
    too_little_to_sell: bool = False,
    vans_too_small: bool = False,
) -> Farm:
    """Rooms, products, lots, a limit, a gateway to come, a phone, vans with drivers.

    Args:
        books_name_another_room: everything is booked into Cold room 2, wherever it really lies.
        too_little_to_sell: Cold room 2 holds less than will be ordered.
        vans_too_small: no van carries even one order.
    """
    warehouse_id = api.post("/warehouse/warehouses", {"code": "MAIN", "name": "Main store", **STORE})["id"]
    rooms = {name: _room(api, warehouse_id, name, code) for name, code in SENSORS.items()}
    products = {
        sku: api.post("/warehouse/products", {"sku": sku, "name": name, "unit": unit})["id"]
        for sku, name, unit in PRODUCTS
    }
    for sku, lot, quantity, room in STOCK:
        body = {"product_id": products[sku], "lot_number": lot, "expires_on": "2030-01-31"}
        booked = "Cold room 2" if books_name_another_room else room
        amount = TOO_LITTLE if too_little_to_sell and room == "Cold room 2" else quantity
        api.post("/warehouse/stock/receiving", {**body, "location_id": rooms[booked], "quantity": amount})
    limit = {"kind": "high", "set_at": LIMIT_C, "clear_at": CLEAR_C, "duration_s": LIMIT_DURATION_S}
    rule = api.post("/alerts/rules", {"name": "Cold room 1 too warm", "location_id": rooms["Cold room 1"], **limit})
    gateway = api.post("/edge/gateways", {"name": "Gateway at the main store"})
    for name, sensor in SENSORS.items():
        body = {"location_id": rooms[name], "code": f"z2m:{sensor}", "quantity": "temperature", "unit": "Cel"}
        api.post("/edge/sensors", {"gateway_id": gateway["gateway_id"], **body})
    phone = httpx2.post(f"{fcm_url}/double/phones").json()
    api.post("/mobile/devices", {"registration": phone["fid"]})
    for number, driver in enumerate(DRIVERS, start=1):
        _van(api, f"VAN-{number}", driver, capacity_g=1000 if vans_too_small else VAN_CAPACITY_G)
    return Farm(warehouse_id, products, rooms, rule["id"], gateway["gateway_id"], gateway["claim_code"], phone["fid"])


def _room(api: Api, warehouse_id: str, name: str, code: str) -> str:
    kind = {"location_type": "room", "storage_type": "cold_storage"}
    limits = {"temperature_min_c": 1.0, "temperature_max_c": LIMIT_C}
    body = {"warehouse_id": warehouse_id, "code": code, "name": name, **kind, **limits}
    room_id: str = api.post("/warehouse/storage/locations", body)["id"]
    return room_id


def _van(api: Api, number: str, driver: str, *, capacity_g: int) -> None:
    person = {"username": driver, "email": f"{driver}@demo.example", "full_name": driver, "password": GIVEN_PASSWORD}
    user = api.post("/admin/users", {**person, "roles": ["delivery_personnel"]})
    api.take_own_password(driver, given=GIVEN_PASSWORD, chosen=PASSWORD)
    api.post("/warehouse/fleet/vehicles", {"number": number, "capacity_g": capacity_g, "driver_id": user["id"]})
