"""API9:2023, improper inventory management: every route is in the document, and nothing else is served."""

from fastapi.routing import iter_route_contexts

from cloud_api import api
from tests.platform_under_test import app_to_read

#: the document and the page that shows it
ABOUT_THE_API = ("/openapi.json", "/docs", "/static-offline-docs")

#: for people, not programs: they are shown by a browser
PAGES = ("/t/{token}", "/console")


def test_every_route_is_documented_and_of_the_one_version() -> None:
    the_app = app_to_read()
    document = the_app.openapi()
    documented = {(method.upper(), path) for path, methods in document["paths"].items() for method in methods}
    served, sockets = set(), set()
    for context in iter_route_contexts(the_app.routes):
        path = str(context.path)
        if path.startswith((*ABOUT_THE_API, *PAGES)):
            continue
        methods = context.methods
        if not methods:
            sockets.add(path)
        served |= {(method, path) for method in (methods or set()) - {"HEAD"}}
    assert served == documented
    assert sockets == set(document["x-websockets"]) == set(api.WEBSOCKETS)
    assert all(path.startswith("/api/v1/") for _, path in documented)


def test_each_operation_has_a_name_of_its_own_a_summary_and_its_errors() -> None:
    document = app_to_read().openapi()
    operations = [operation for methods in document["paths"].values() for operation in methods.values()]
    names = [operation["operationId"] for operation in operations]
    assert len(names) == len(set(names))
    assert [name for name, operation in zip(names, operations, strict=True) if not operation.get("description")] == []
    assert [n for n, operation in zip(names, operations, strict=True) if "4XX" not in operation["responses"]] == []
    assert [name for name, operation in zip(names, operations, strict=True) if not operation.get("tags")] == []
