"""What stands on a tag: Electronic Product Codes, GS1 EPC Tag Data Standard. The only file that knows `epcpy`."""

import re
from dataclasses import dataclass

from epcpy.epc_schemes.base_scheme import GS1Keyed
from epcpy.epc_schemes.giai import GIAI
from epcpy.epc_schemes.grai import GRAI
from epcpy.epc_schemes.sgln import SGLN
from epcpy.epc_schemes.sgtin import SGTIN
from epcpy.epc_schemes.sscc import SSCC
from epcpy.utils.common import ConvertException
from epcpy.utils.parsers import hex_to_tag_encodable

from cloud_api.kernel.errors import Invalid

_HEX = re.compile(r"([0-9A-F]{2}){1,62}")
#: the first byte of a tag's memory says which scheme the rest follows
HEADERS = {
    "30": ("sgtin-96", SGTIN),
    "36": ("sgtin-198", SGTIN),
    "31": ("sscc-96", SSCC),
    "32": ("sgln-96", SGLN),
    "39": ("sgln-195", SGLN),
    "33": ("grai-96", GRAI),
    "37": ("grai-170", GRAI),
    "34": ("giai-96", GIAI),
    "38": ("giai-202", GIAI),
}


class MalformedEpc(Invalid):
    """No tag can carry this."""

    code = "MALFORMED_EPC"


@dataclass(frozen=True, slots=True)
class Epc:
    """An EPC and, of the schemes that are known here, what it says."""

    #: hexadecimal, in capitals
    hex: str
    #: as `sgtin-96`; empty: a scheme that is not known here, kept as it is
    scheme: str = ""
    #: its pure identity, as `urn:epc:id:sgtin:0614141.812345.6789`
    uri: str = ""
    #: the GS1 key: a GTIN-14, SSCC, GLN, GRAI or GIAI
    gs1_key: str = ""


def normal(text: str, *, field: str = "epc") -> str:
    """The hexadecimal digits in capitals.

    Args:
        field: where it stands in what was asked.

    Raises:
        MalformedEpc: when it is no hexadecimal number of whole bytes, at most 62.
    """
    digits = text.strip().upper()
    if not _HEX.fullmatch(digits):
        raise MalformedEpc("an EPC has 2 to 124 hexadecimal digits, two for each byte", field=field)
    return digits


def decode(text: str, *, field: str = "epc") -> Epc:
    """What an EPC says.

    Args:
        field: where it stands in what was asked.

    Raises:
        MalformedEpc: when it is no hexadecimal number, or breaks the scheme that its first byte names.
    """
    digits = normal(text, field=field)
    if digits[:2] not in HEADERS:
        return Epc(digits)
    scheme, expected = HEADERS[digits[:2]]
    try:
        identity = hex_to_tag_encodable(digits)
        key = identity.gs1_key() if isinstance(identity, GS1Keyed) else ""
    except (ConvertException, ValueError, KeyError, IndexError) as error:
        raise MalformedEpc(f"EPC {digits} is no {scheme}: {error}", field=field) from error
    if not isinstance(identity, expected):
        raise MalformedEpc(f"EPC {digits} is no {scheme}", field=field)
    return Epc(digits, scheme, identity.epc_uri, key)
