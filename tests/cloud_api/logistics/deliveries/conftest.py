from tests.factories.grounds import farm, ground, store
from tests.factories.grounds import mostly_embedded_url as ground_url

__all__ = ["farm", "ground", "ground_url", "store"]
