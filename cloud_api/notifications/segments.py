"""How many parts an SMS takes: by GSM 03.38's alphabet, or in UCS-2 as soon as one letter is not in it.

A phone joins the parts, and each costs as much as a message. What is left of a part's 140 bytes beside its header is
153 letters of the alphabet, or 67 units of UCS-2; a message of one part has no header.
"""

from collections.abc import Iterator

#: 3GPP TS 23.038, 6.2.1: one septet each
_GSM = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
#: the same, 6.2.1.1: two septets each, which stay together
_GSM_EXTENDED = frozenset("^{}\\[~]|€\f")
#: (alone, each of several)
_GSM_ROOM, _UCS2_ROOM = (160, 153), (70, 67)
#: what plain letters say as well, and one such sign alone would more than halve the room
_PLAIN = str.maketrans(
    {"‘": "'", "’": "'", "“": '"', "”": '"', "–": "-", "—": "-", "…": "...", "\u00a0": " ", "°": "", "₹": "Rs "}
)


def segments(text: str) -> int:
    """How many parts the text takes; an empty one takes one."""
    costs = list(_costs(text))
    alone, each = _GSM_ROOM if _is_gsm(text) else _UCS2_ROOM
    if sum(costs) <= alone:
        return 1
    parts, left = 1, each
    for cost in costs:
        if cost > left:
            parts, left = parts + 1, each
        left -= cost
    return parts


def plain(text: str) -> str:
    """The same text without the signs that cost more than they say."""
    return text.translate(_PLAIN)


def cut(text: str, *, most: int) -> str:
    """As much of the text as `most` parts have room for; three dots stand for the rest."""
    if segments(text) <= most:
        return text
    kept = len(text)
    while kept and segments(f"{text[:kept].rstrip()}...") > most:
        kept -= 1
    return f"{text[:kept].rstrip()}..."


def _is_gsm(text: str) -> bool:
    return all(letter in _GSM or letter in _GSM_EXTENDED for letter in text)


def _costs(text: str) -> Iterator[int]:
    """Of each letter, in septets or in units of 16 bits; what stands in two of these is not torn apart."""
    if _is_gsm(text):
        return (2 if letter in _GSM_EXTENDED else 1 for letter in text)
    return (2 if ord(letter) > 0xFFFF else 1 for letter in text)
