"""What a page tells its maps of the region."""

from collections.abc import Mapping
from typing import cast

from fastapi import Request

from cloud_api.console.browser_parts import address_of
from cloud_api.kernel.region_map import RegionMap

REGION = "/region.pmtiles"


def region_of(request: Request) -> RegionMap | None:
    """The operator's map, if there is one."""
    return cast(RegionMap | None, request.app.state.region_map)


def ground(request: Request) -> Mapping[str, str]:
    """`data-…` of the page: where the region's map is, what draws it, what it covers, and whom to name beside it.

    Nothing, when none is given: maps then are a plain grid, and what would draw it is never loaded.
    """
    region = region_of(request)
    if region is None:
        return {}
    return {
        "region": f"/console{REGION}?v={region.stamp}",
        "region-script": address_of("region-map.js"),
        "region-zoom": str(region.most_zoom),
        "region-bounds": ",".join(f"{corner:.6f}" for corner in region.bounds),
        "region-attribution": region.attribution,
    }
