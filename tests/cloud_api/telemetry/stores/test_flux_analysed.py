"""Our queries by InfluxData's own analyser of Flux: npm's `@influxdata/flux-lsp-node`, 0.8.40 when this was written.

Collected when `TEST_FLUX_LSP` says where that package is: `.../node_modules/@influxdata/flux-lsp-node`.
"""

import json
import os
import subprocess
import uuid

from cloud_api.telemetry.stores.influx import flux, newest_stages, page_stages

_ANALYSE = """
const analyser = require(process.env.TEST_FLUX_LSP);
const queries = JSON.parse(require("fs").readFileSync(0, "utf-8"));
console.log(JSON.stringify(queries.map((query) => analyser.is_valid_flux(query))));
process.exit(0);
"""


def analysed(queries: list[str]) -> list[bool]:
    """Whether each is valid Flux."""
    done = subprocess.run(
        ["node", "-e", _ANALYSE], input=json.dumps(queries), capture_output=True, text=True, check=True, timeout=60
    )
    found: list[bool] = json.loads(done.stdout)
    return found


def query(*stages: str, bucket: str = "readings") -> str:
    ids = [str(uuid.uuid4()) for _ in range(3)]
    return flux(bucket, uuid.uuid4(), sensors=ids[:2], lanes=ids[2:], from_ms=-(10**12), to_ms=10**12, stages=stages)


def test_every_query_of_ours_is_flux() -> None:
    ours = [
        query(),
        query(*page_stages(250)),
        query(*newest_stages(None, None)),
        query(*newest_stages(-3.5, 1e-7)),
        query(*newest_stages(1e300, -0.0)),
        query(bucket='cold "rooms" \\ ${secret}'),
    ]
    assert analysed(ours) == [True] * len(ours), os.environ["TEST_FLUX_LSP"]


def test_the_analyser_knows_what_is_wrong() -> None:
    assert (
        analysed([query("grup()"), query("limit(m: 1)"), query("filter(fn: (r) => r.value <= 1e-07)")]) == [False] * 3
    )
