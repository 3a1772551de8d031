import pytest
from cryptography.hazmat.primitives.asymmetric import rsa


@pytest.fixture(scope="session")
def fcm_key() -> rsa.RSAPrivateKey:
    """One key for all doubles: drawing it takes longer than most tests."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)
