"""What was found, as it travels over HTTP."""

import uuid

from cloud_api.kernel.http import ResponseModel


class HitRead(ResponseModel):
    """One thing that was found; a detail operation of its kind shows the rest."""

    kind: str
    id: uuid.UUID
    title: str
    code: str
    facets: dict[str, str]


class FoundRead(ResponseModel):
    """What was found, the best first."""

    hits: list[HitRead]
    #: what was looked for instead, when nothing has the words that were asked for
    understood_as: str | None


class FacetValueRead(ResponseModel):
    """One value, and how many things have it."""

    value: str
    count: int


class FacetRead(ResponseModel):
    """One way to narrow what was found, the most frequent value first; `kind` is one of them."""

    name: str
    values: list[FacetValueRead]


class FacetsRead(ResponseModel):
    """Counts of what was found."""

    facets: list[FacetRead]
    total: int
    #: false when there is more than was counted
    complete: bool
    understood_as: str | None


class ProductsFoundRead(FoundRead):
    """Products that were found, and how to narrow them."""

    facets: FacetsRead


class SuggestionRead(ResponseModel):
    """How what is being typed may go on."""

    text: str
    kind: str
    id: uuid.UUID


class ReindexRead(ResponseModel):
    """For how many organisations the index is being built again."""

    organizations: int
