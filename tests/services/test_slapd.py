"""The tests' own OpenLDAP."""

import pytest

from tests.services.slapd import SlapdUnavailable, find_binary


def test_a_missing_directory_is_said_in_one_sentence() -> None:
    with pytest.raises(SlapdUnavailable, match="apt-get install slapd ldap-utils"):
        find_binary("slapd", search_path="/nowhere")
