"""Real roads from an OpenStreetMap extract, by Valhalla in this process: the extra `roads`.

The map is prepared once, by `build_tiles`: about a second for a small country's 1 MB extract. The tool for it comes
with pyvalhalla from 3.9 on, which needs Python 3.12. Where 3.2 is installed, take the tiles that 3.9 built elsewhere.
"""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from types import ModuleType
from typing import Protocol, cast

import msgspec

from route_optimizer.matrices import valhalla_json
from route_optimizer.matrices.points import Point, check_points
from route_optimizer.matrices.sources import Limits, SourceMissing, SourceRefused, Table

#: what turns an extract into tiles
TOOL = "valhalla_build_tiles"
#: its files in a folder
TILES = "**/*.gph"
#: metres as the crow flies that two places may be apart
FARTHEST_M = 5_000_000.0
#: cells of one request
MOST_PAIRS = 10_000_000


class _Actor(Protocol):
    def matrix(self, request: str) -> str: ...
    def locate(self, request: str) -> str: ...


class Roads:
    """A `Source` that searches the roads of a map.

    It searches with `timedistancematrix`, several times faster than Valhalla's own choice of `costmatrix`. That search
    gives up on ways that exist unless `max_matrix_distance` is far beyond the size of the map, and in 3.2 it answers
    square tables only: see `valhalla_json.square`.
    """

    def __init__(self, tiles: Path, *, costing: str = "auto", reach_m: float = 1_000.0) -> None:
        """Open a map.

        Args:
            tiles: folder that `build_tiles` filled.
            costing: Valhalla's kind of vehicle, such as `auto`, `truck` or `bicycle`.
            reach_m: a place farther from any road than this is off the road.

        Raises:
            SourceMissing: when pyvalhalla or the tiles are not there.
        """
        actor = _actor(tiles)
        built_s = max(tile.stat().st_mtime for tile in tiles.glob(TILES))
        self.name = f"roads:{tiles.resolve()}:{built_s:.0f}:{costing}:{reach_m:.0f}"
        self._ask = _ask(actor)
        self._dialect = valhalla_json.Dialect(costing, reach_m, *_ways())

    @property
    def limits(self) -> Limits:
        """More at once takes memory and gains nothing."""
        return self._dialect.limits

    def table(self, origins: Sequence[Point], destinations: Sequence[Point]) -> Table:
        """The ways from each origin to each destination.

        Raises:
            ProblemError: when a coordinate is not on Earth.
            SourceRefused: when Valhalla cannot make sense of the request, such as an unknown costing.
        """
        check_points([*origins, *destinations])
        return valhalla_json.table(self._ask, origins, destinations, self._dialect)


def build_tiles(extract: Path, tiles: Path, *, tool: Path | None = None) -> None:
    """Prepare an OpenStreetMap extract (`.osm.pbf`) for `Roads`.

    Args:
        extract: the map.
        tiles: folder to fill; made when it is not there.
        tool: `valhalla_build_tiles`; None looks for it with pyvalhalla, then on the PATH.

    Raises:
        SourceMissing: when the extract, pyvalhalla or the tool is not there.
        SourceRefused: when the tool cannot read the extract.
    """
    if not extract.is_file():
        raise SourceMissing("extract", f"is not there: {extract}", "download the region's .osm.pbf first")
    command = tool or find_tool()
    tiles.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        settings = Path(scratch) / "valhalla.json"
        settings.write_bytes(_settings(tiles))
        done = subprocess.run(  # noqa: S603 - the tool is Valhalla's own or the caller's, the paths are arguments
            [command, "-c", settings, extract.resolve()], capture_output=True, text=True, errors="replace", check=False
        )
    if done.returncode or not any(tiles.glob(TILES)):
        said = (done.stderr or done.stdout).strip().splitlines() or ["no word why"]
        raise SourceRefused(
            "extract",
            f"could not be turned into a map (exit code {done.returncode}): {said[-1][:300]}",
            "check that the file is a whole .osm.pbf and that the disk has room",
        )


def find_tool() -> Path:
    """Where `valhalla_build_tiles` is.

    Raises:
        SourceMissing: when it is nowhere, telling where to get it.
    """
    beside = Path(str(_library().__file__)).parent / "bin" / TOOL
    found = str(beside) if os.access(beside, os.X_OK) else shutil.which(TOOL)
    if found is None:
        raise SourceMissing(
            TOOL,
            "is not installed: pyvalhalla brings it from 3.9 on, which needs Python 3.12",
            "build the tiles under Python 3.12 and copy their folder here, where 3.2 reads them",
        )
    return Path(found)


def _library() -> ModuleType:
    try:
        import valhalla  # type: ignore[import-untyped, unused-ignore]
    except ImportError:
        raise SourceMissing(
            "roads", "needs pyvalhalla, which is not installed", "pip install 'coldfleet[roads]'"
        ) from None
    return cast(ModuleType, valhalla)


def _ways() -> tuple[Limits, Callable[[valhalla_json.Ask, Sequence[Point], Sequence[Point], str], Table]]:
    major, minor = (int(part) for part in version("pyvalhalla").split(".")[:2])
    if (major, minor) < (3, 9):
        return Limits(pairs=160_000), valhalla_json.square
    return Limits(pairs=MOST_PAIRS, origins=50), valhalla_json.matrix


def _settings(tiles: Path) -> bytes:
    """Valhalla's configuration: its own defaults, nothing but the tiles on disk, and limits that do not bind."""
    chosen: dict[str, dict[str, object]] = _library().get_config(tile_dir=str(tiles), tile_extract="")
    for absent in ("admin", "timezone", "traffic_extract", "transit_dir", "transit_feeds_dir"):
        chosen["mjolnir"].pop(absent, None)
    chosen["mjolnir"]["tile_extract"] = ""
    chosen["thor"]["source_to_target_algorithm"] = "timedistancematrix"
    for limits in chosen["service_limits"].values():
        if isinstance(limits, dict) and "max_matrix_distance" in limits:
            limits |= {"max_matrix_distance": FARTHEST_M, "max_matrix_location_pairs": MOST_PAIRS}
    return msgspec.json.encode(chosen)


def _actor(tiles: Path) -> _Actor:
    library = _library()
    if not any(tiles.glob(TILES)):
        raise SourceMissing("tiles", f"has no map in {tiles}", "build one with `roads.build_tiles(extract, tiles)`")
    with tempfile.TemporaryDirectory() as scratch:
        settings = Path(scratch) / "valhalla.json"
        settings.write_bytes(_settings(tiles))
        actor: _Actor = library.Actor(settings)
    return actor


def _ask(actor: _Actor) -> valhalla_json.Ask:
    actions = {"sources_to_targets": actor.matrix, "locate": actor.locate}

    def ask(action: str, request: bytes) -> bytes:
        try:
            return actions[action](request.decode()).encode()
        except RuntimeError as error:
            wrong = f"refused the request: {error}"
            raise SourceRefused("valhalla", wrong, "check the costing, and that the map covers the places") from None

    return ask
