"""Tables whose filters, order and place stand in the address: what is seen can be sent to somebody, and kept."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from fastapi import Request

from cloud_api.console.asking import Answer, Desk

_PLACE = "cursor"
#: below a page's path: its table alone, as it is now
_PART = "/part"
LIMIT = 50


@dataclass(frozen=True)
class Table:
    """One page of a table, as it is shown.

    Args:
        path: where the page is, without its query.
        query: what is asked for: filters, `sort`, and the place.
    """

    path: str
    query: Mapping[str, str]
    rows: Sequence[Answer]
    next_cursor: str | None = None

    @property
    def filtered(self) -> bool:
        """Whether anything but order and place is asked for: an empty table then says something else."""
        return any(name not in (_PLACE, "sort", "limit") for name in self.query)

    @property
    def next_address(self) -> str | None:
        """The next page; None: there is none."""
        return None if self.next_cursor is None else self.with_(cursor=self.next_cursor)

    @property
    def first_address(self) -> str | None:
        """The first page; None: this is it."""
        return self.with_(cursor=None) if _PLACE in self.query else None

    @property
    def part(self) -> str:
        """Where what is seen here can be read again, without the page around it."""
        seen = self.with_(cursor=self.query.get(_PLACE))
        return f"{self.path}{_PART}{seen.removeprefix(self.path)}"

    def with_(self, **changed: str | None) -> str:
        """The same table with other filters; what is None is taken away. It begins anew unless a place is named."""
        kept = {name: value for name, value in self.query.items() if name != _PLACE}
        wanted = {name: value for name, value in {**kept, **changed}.items() if value not in (None, "")}
        return f"{self.path}?{urlencode(wanted)}" if wanted else self.path

    def export(self, format: str, part: str = "") -> str:
        """Where all that the filters leave is a file: `csv` or `xlsx`.

        Args:
            part: a path below the page's, where it has more than one table to take away: `/lines`.
        """
        kept = {name: value for name, value in self.query.items() if name != _PLACE}
        return f"{self.path}{part}/export?{urlencode({**kept, 'format': format})}"

    def sorted_by(self, column: str) -> str:
        """The same table by a column; by it already: the other way round."""
        return self.with_(sort=f"-{column}" if self.query.get("sort") == column else column)

    def direction(self, column: str) -> str:
        """How the table is sorted by a column, as `aria-sort` says it."""
        return {column: "ascending", f"-{column}": "descending"}.get(self.query.get("sort", ""), "none")


def asked_for(request: Request, filters: Iterable[str]) -> dict[str, str]:
    """What a table's address asks for: these filters, order and place, and nothing else."""
    known = {*filters, _PLACE, "sort"}
    return {name: value for name, value in request.query_params.items() if name in known and value}


async def table(
    request: Request, desk: Desk, source: str, /, *, filters: Iterable[str] = (), limit: int = LIMIT, **fixed: object
) -> Table:
    """One page of the API's list at `source`, as the request's address asks for it: a page's, or its part's.

    Args:
        filters: names of the list's own query parameters that the address may have.
        fixed: query parameters that the address has no say in.

    Raises:
        Refused: when the list is not given.
    """
    query = asked_for(request, filters)
    part = await desk.page(source, **{"limit": limit, **query, **fixed})
    return Table(request.url.path.removesuffix(_PART), query, part.items, part.next_cursor)
