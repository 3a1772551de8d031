"""What all makers' tag reads have in common: the form of an Electronic Product Code, the limits of the other fields."""

import re

from gateway.contract import TagRead
from gateway.decoders import json_payload
from gateway.decoders.decoded import DecodeError
from gateway.decoders.device_time import When

#: EPC UHF Gen2: at most 31 words of 16 bits
_EPC = re.compile(r"(?:[0-9A-F]{2}){1,62}")


def tag_read(
    reader: str, epc: object, when: When, *, antenna: object, rssi_dbm: float | None, reads: object, tid: object
) -> TagRead:
    """A tag read of fields as a reader told them.

    Raises:
        DecodeError: there is no EPC. The other fields are left out when they are of no use.
    """
    code = epc.upper() if isinstance(epc, str) else ""
    if not _EPC.fullmatch(code):
        raise DecodeError(f"{epc!r:.140} is no EPC in hexadecimal")
    at_ms, time_source, quality = when
    chip = tid.upper() if isinstance(tid, str) else ""
    return TagRead(
        sequence=0,
        reader=reader,
        epc=code,
        recorded_at_ms=at_ms,
        antenna=json_payload.whole(antenna),
        rssi_dbm=rssi_dbm,
        reads=json_payload.whole(reads),
        tid=chip if _EPC.fullmatch(chip) else None,
        time_source=time_source,
        quality=quality,
    )
