"""Ways on real roads: Andorra, as OpenStreetMap has it, searched by Valhalla in this process."""

import shutil
import sys
import tarfile
from pathlib import Path

import numpy as np
import pytest

from route_optimizer.matrices import Point, haversine, roads
from route_optimizer.matrices.kept import Kept
from route_optimizer.matrices.roads import Roads
from route_optimizer.matrices.sources import SourceMissing, SourceRefused, survey
from route_optimizer.problem import UNREACHABLE
from route_optimizer.validation import ProblemError

TILES = Path(__file__).parent / "data" / "osm" / "andorra-tiles.tgz"
CAPITAL, PAS_DE_LA_CASA, ORDINO = Point(42.5063, 1.5218), Point(42.5425, 1.7336), Point(42.5562, 1.5332)
SANT_JULIA, ENCAMP, SOLDEU = Point(42.4637, 1.4913), Point(42.5340, 1.5800), Point(42.5766, 1.6676)
TOWNS = [CAPITAL, PAS_DE_LA_CASA, ORDINO, SANT_JULIA, ENCAMP, SOLDEU]
#: metres and seconds from the capital and back, by Valhalla's `route` service, another search than the matrix's
FROM_CAPITAL = [(0, 0), (32861, 1736), (11289, 618), (6861, 424), (6641, 379), (19036, 981)]
TO_CAPITAL = [(0, 0), (32901, 1759), (8240, 454), (6377, 388), (6647, 417), (19075, 1004)]
MOUNTAIN, BARCELONA = Point(42.62, 1.62), Point(41.0, 2.5)


@pytest.fixture(scope="module")
def tiles(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("andorra")
    with tarfile.open(TILES) as packed:
        packed.extractall(folder, filter="data")
    return folder


@pytest.fixture(scope="module")
def andorra(tiles: Path) -> Roads:
    return Roads(tiles)


def test_the_roads_of_a_country_come_out_as_its_route_service_has_them(andorra: Roads) -> None:
    found = survey(TOWNS, andorra)
    for town, (there, back) in enumerate(zip(FROM_CAPITAL, TO_CAPITAL, strict=True)):
        assert (found.matrix.metres(0, town), found.matrix.seconds(0, town)) == pytest.approx(there, abs=2)
        assert (found.matrix.metres(town, 0), found.matrix.seconds(town, 0)) == pytest.approx(back, abs=2)
    assert found.off_road == {}


def test_a_road_is_no_shorter_than_the_crow_flies(andorra: Roads) -> None:
    crow = haversine(TOWNS, detour_factor=1.0)
    assert (survey(TOWNS, andorra).matrix.distance_m >= crow.distance_m).all()


def test_a_part_of_a_table_is_what_the_whole_has_there(andorra: Roads) -> None:
    whole = andorra.table(TOWNS, TOWNS).distance_m
    for rows, columns in (([0, 1], [0, 1, 2, 3]), ([4, 2, 5], [1]), ([3], [5, 0, 2]), ([5, 5], [0, 0])):
        part = andorra.table([TOWNS[row] for row in rows], [TOWNS[column] for column in columns])
        assert part.distance_m == pytest.approx(whole[np.ix_(rows, columns)], abs=1)


def test_a_place_off_the_road_is_unreachable_and_says_why_and_spoils_no_other(andorra: Roads) -> None:
    found = survey([MOUNTAIN, *TOWNS, BARCELONA], andorra)
    assert found.off_road == {
        0: "is 1,708 m from the nearest road for auto, more than 1,000 m",
        7: "has no road for auto near it on this map",
    }
    for row in (0, 7):
        others = [column for column in range(8) if column != row]
        assert (found.matrix.distance_m[row, others] == UNREACHABLE).all()
        assert (found.matrix.duration_s[others, row] == UNREACHABLE).all()
        assert found.matrix.metres(row, row) == 0
    assert (found.matrix.distance_m[1:7, 1:7] == survey(TOWNS, andorra).matrix.distance_m).all()


def test_how_far_from_a_road_is_off_the_road_is_ones_own_choice(tiles: Path) -> None:
    patient = Roads(tiles, reach_m=2_000)
    assert survey([MOUNTAIN, CAPITAL], patient).off_road == {}


def test_what_was_searched_once_is_kept(andorra: Roads, tmp_path: Path) -> None:
    first = survey([MOUNTAIN, *TOWNS], Kept(andorra, tmp_path / "ways.sqlite"))
    again = survey([MOUNTAIN, *TOWNS], Kept(andorra, tmp_path / "ways.sqlite"))
    assert (again.matrix.distance_m == first.matrix.distance_m).all()
    assert again.off_road == first.off_road


def test_an_unknown_kind_of_vehicle_is_refused(tiles: Path) -> None:
    with pytest.raises(SourceRefused, match=r"No costing method found: 'hovercraft'.*check the costing"):
        survey(TOWNS, Roads(tiles, costing="hovercraft"))


def test_a_place_that_is_not_on_earth_is_refused(andorra: Roads) -> None:
    with pytest.raises(ProblemError, match=r"points\[0\].longitude is 200"):
        andorra.table([Point(0.0, 200.0)], [CAPITAL])


def test_a_folder_without_a_map_is_told_with_a_remedy(tmp_path: Path) -> None:
    with pytest.raises(SourceMissing, match=r"has no map in .* build one with"):
        Roads(tmp_path / "nothing")


def test_without_the_library_the_extra_is_named(tiles: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "valhalla", None)
    with pytest.raises(SourceMissing, match=r"pip install 'coldfleet\[roads\]'"):
        Roads(tiles)


def test_the_tool_is_found_or_where_to_get_it_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    if sys.version_info >= (3, 12):
        assert roads.find_tool().name == roads.TOOL
        return
    with pytest.raises(SourceMissing, match=r"Python 3\.12.*copy their folder here"):
        roads.find_tool()
    beside = tmp_path / roads.TOOL
    shutil.copy(shutil.which("true", path="/bin:/usr/bin") or "", beside)
    assert roads.find_tool() == beside


# -- building a map: the tool itself is no part of pyvalhalla 3.2, so that a stand-in takes its place


def tool(folder: Path, *lines: str) -> Path:
    script = folder / "tool"
    script.write_text("\n".join([f"#!{sys.executable} -S", "import json, sys, tarfile", *lines]))
    script.chmod(0o755)
    return script


def test_a_map_is_built_where_it_is_wanted(tmp_path: Path) -> None:
    extract = tmp_path / "andorra.osm.pbf"
    extract.write_bytes(b"a map")
    builds = tool(
        tmp_path,
        "assert sys.argv[1] == '-c' and open(sys.argv[3], 'rb').read() == b'a map'",
        "folder = json.load(open(sys.argv[2]))['mjolnir']['tile_dir']",
        f"tarfile.open({str(TILES)!r}).extractall(folder, filter='data')",
    )
    roads.build_tiles(extract, tmp_path / "new" / "tiles", tool=builds)
    assert survey([CAPITAL, SOLDEU], Roads(tmp_path / "new" / "tiles")).matrix.metres(0, 1) == 19036


def test_a_map_that_cannot_be_built_says_what_the_tool_said(tmp_path: Path) -> None:
    extract = tmp_path / "andorra.osm.pbf"
    with pytest.raises(SourceMissing, match=r"extract is not there.*download"):
        roads.build_tiles(extract, tmp_path / "tiles")
    extract.write_bytes(b"half a map")
    fails = tool(tmp_path, "sys.exit('unexpected end of file')")
    with pytest.raises(SourceRefused, match=r"exit code 1\): unexpected end of file: check"):
        roads.build_tiles(extract, tmp_path / "tiles", tool=fails)
    silent = tool(tmp_path, "pass")
    with pytest.raises(SourceRefused, match=r"exit code 0\): no word why"):
        roads.build_tiles(extract, tmp_path / "tiles", tool=silent)
