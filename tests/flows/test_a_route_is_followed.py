"""A browser's view of a route: a real websocket client, a real server."""

import asyncio
import json

import uvicorn
from websockets import Subprotocol
from websockets.asyncio.client import connect

from cloud_api.kernel import clock
from tests.factories.orders import make_drive
from tests.platform_under_test import Platform
from tests.services.waiting import until


async def test_a_real_client_sees_the_van_move(platform: Platform) -> None:
    drive = await make_drive(platform, doors=1)
    route = await drive.driver.get("/api/v1/mobile/routes/current")
    token = drive.tenant.client.headers["Authorization"].removeprefix("Bearer ")
    config = uvicorn.Config(platform.app, port=0, lifespan="off", log_config=None, ws="websockets-sansio")
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())

    async def started() -> bool:
        return server.started

    await until(started, what="the server answers")
    port = server.servers[0].sockets[0].getsockname()[1]
    address = f"ws://127.0.0.1:{port}/ws/tracking/{route['id']}"
    async with connect(address, subprotocols=[Subprotocol("bearer"), Subprotocol(token)]) as socket:
        first = json.loads(await asyncio.wait_for(socket.recv(), 20))
        await drive.driver.post(f"/api/v1/mobile/routes/{route['id']}/start")
        position = {"recorded_at": clock.now().isoformat(), "latitude": 12.931, "longitude": 77.611}
        [stop] = route["deliveries"]
        await drive.driver.client.post(f"/api/v1/mobile/deliveries/{stop['id']}/location", json=position)
        await platform.deliver()
        seen: dict[str, object] = {}
        while seen.get("latitude") is None:
            changed = json.loads(await asyncio.wait_for(socket.recv(), 20))
            seen |= next((item for item in changed["items"] if item["id"] == route["id"]), {})
    server.should_exit = True
    await serving

    assert (first["type"], first["items"][0]["status"], first["items"][0]["latitude"]) == ("state", "planned", None)
    assert (seen["status"], seen["latitude"]) == ("in_progress", 12.931)
