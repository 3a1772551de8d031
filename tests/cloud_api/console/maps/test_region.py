"""The region's map: named at the start when it is none, handed out in ranges, and drawn under every map."""

import gzip
from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest
from pydantic import ValidationError

from cloud_api.console.browser_parts import manifest
from cloud_api.kernel import region_map
from cloud_api.kernel.region_map import RegionMap, Unreadable
from cloud_api.kernel.settings import Settings
from tests.cloud_api.console.maps.regions import ZSTD, write_region
from tests.cloud_api.console.screens import Screen
from tests.platform_under_test import Platform

FENCE = {
    "name": "Yard",
    "kind": "depot",
    "circle": {"latitude": 12.93, "longitude": 77.61, "radius_m": 300},
}


@pytest.fixture
async def region(sqlite_platform: Platform, tmp_path: Path) -> AsyncIterator[RegionMap]:
    """The platform has a map of a region, while a test lasts."""
    state = sqlite_platform.app.state
    state.region_map = region_map.read(write_region(tmp_path / "pond.pmtiles"))
    yield state.region_map
    state.region_map = None


def test_a_file_says_what_it_covers_and_whom_to_name(tmp_path: Path) -> None:
    read = region_map.read(write_region(tmp_path / "pond.pmtiles", {"west": -10_000_000, "south": 0}))
    assert read.bounds == (0, -1, 85, 180)
    assert read.attribution == "© OpenStreetMap & friends"
    unnamed = region_map.read(write_region(tmp_path / "unnamed.pmtiles", attribution=None))
    assert unnamed.attribution == "© OpenStreetMap contributors"
    assert unnamed.stamp != read.stamp


@pytest.mark.parametrize(
    ("head", "said"),
    [
        ({"version": 2}, "version 2"),
        ({"tile_kind": 2}, "pictures"),
        ({"tile_packing": ZSTD}, "gzip is needed"),
        ({"tiles_bytes": 5_000}, "cut short"),
        ({"metadata_at": 130}, "cannot be unpacked"),
        ({"north": -900_000_000}, "where on Earth"),
    ],
)
def test_a_map_that_browsers_cannot_draw_is_named(tmp_path: Path, head: dict[str, int], said: str) -> None:
    with pytest.raises(Unreadable, match=said):
        region_map.read(write_region(tmp_path / "pond.pmtiles", head))


def test_a_missing_or_spoilt_map_is_named_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match="does not point to a file"):
        Settings(region_map=tmp_path / "nowhere.pmtiles")
    other = tmp_path / "other.pmtiles"
    other.write_bytes(gzip.compress(b"no map"))
    with pytest.raises(ValidationError, match="this is no PMTiles file"):
        Settings(region_map=other)
    assert Settings(region_map=write_region(other)).region_map == other


async def test_the_map_is_handed_out_in_ranges_to_people_who_are_signed_in(
    console: httpx2.AsyncClient, sqlite_platform: Platform, region: RegionMap
) -> None:
    whole = region.path.read_bytes()
    part = await console.get("/console/region.pmtiles", headers={"Range": "bytes=0-126"})
    assert (part.status_code, part.content) == (206, whole[:127])
    assert part.headers["content-range"] == f"bytes 0-126/{len(whole)}"
    assert part.headers["cache-control"].startswith("private")
    beyond = await console.get("/console/region.pmtiles", headers={"Range": f"bytes={len(whole)}-"})
    assert beyond.status_code == 416
    assert (await console.get("/console/region.pmtiles")).content == whole
    async with sqlite_platform.client() as stranger:
        turned_away = await stranger.get("/console/region.pmtiles", headers={"Range": "bytes=0-126"})
    assert turned_away.status_code == 303


async def test_without_a_region_nothing_of_it_is_named_or_handed_out(console: httpx2.AsyncClient) -> None:
    page = (await console.get("/console/geofences/new")).text
    assert "data-region" not in page
    assert manifest()["region-map.js"] not in page
    assert (await console.get("/console/region.pmtiles")).status_code == 404


async def test_maps_are_drawn_on_the_region_in_the_colours_of_the_theme(
    screen: Screen, sqlite_platform: Platform, region: RegionMap
) -> None:
    await sqlite_platform.tenant.post("/api/v1/geofences", FENCE)
    await screen.open("/console/geofences")
    await screen.page.wait_for_selector(".map[data-region=drawn][data-drawn=yes]")
    assert await screen.page.inner_text(".leaflet-control-attribution") == "© OpenStreetMap & friends"
    light = await (await screen.page.wait_for_function(_WATER, arg="")).json_value()
    assert light == "128,222,234", "the water of the light theme"
    await screen.page.evaluate("document.documentElement.setAttribute('data-bs-theme', 'dark')")
    await screen.page.wait_for_function(_WATER, arg=light)
    await sqlite_platform.tenant.put("/api/v1/auth/me", {"theme": "dark"})
    await screen.open("/console/geofences")
    await screen.page.wait_for_selector(".map[data-region=drawn][data-drawn=yes]")
    await screen.page.wait_for_function(_WATER, arg=light)
    await screen.is_accessible()


#: the colour in the middle of a tile that is drawn, when it is another than before
_WATER = """(before) => {
  for (const tile of document.querySelectorAll('canvas.leaflet-tile-loaded')) {
    const [red, green, blue, there] = tile.getContext('2d').getImageData(tile.width / 2, tile.height / 2, 1, 1).data;
    const seen = `${red},${green},${blue}`;
    if (there && seen !== before) return seen;
  }
  return null;
}"""
