"""The life of a product."""

from enum import StrEnum

from cloud_api.kernel.states import StateMachine


class ProductStatus(StrEnum):
    """Whether it is bought and sold."""

    ACTIVE = "active"
    INACTIVE = "inactive"
    DISCONTINUED = "discontinued"


class ProductAction(StrEnum):
    """What may be done with it."""

    ACTIVATE = "activate"
    DEACTIVATE = "deactivate"
    DISCONTINUE = "discontinue"


PRODUCT_LIFE = StateMachine(
    "product",
    ProductStatus.ACTIVE,
    {
        (ProductStatus.ACTIVE, ProductAction.DEACTIVATE): ProductStatus.INACTIVE,
        (ProductStatus.INACTIVE, ProductAction.ACTIVATE): ProductStatus.ACTIVE,
        (ProductStatus.ACTIVE, ProductAction.DISCONTINUE): ProductStatus.DISCONTINUED,
        (ProductStatus.INACTIVE, ProductAction.DISCONTINUE): ProductStatus.DISCONTINUED,
        # a retry of the same request is no mistake
        (ProductStatus.DISCONTINUED, ProductAction.DISCONTINUE): ProductStatus.DISCONTINUED,
    },
)
