from tests.factories.grounds import farm, ground, ground_url, store

__all__ = ["farm", "ground", "ground_url", "store"]
