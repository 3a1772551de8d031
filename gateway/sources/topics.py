"""Filters of MQTT topics: which topics they mean, and which other filters lie within them (standard, 4.7)."""

#: a topic or a filter, cut at its slashes
Levels = tuple[str, ...]

#: bounds the work of comparing
MAX_LEVELS = 64


def levels(text: str) -> Levels:
    """Cut a topic or a filter."""
    return tuple(text.split("/"))


def is_filter(text: str) -> bool:
    """Whether the standard takes it for a filter: wildcards fill their level, `#` is the last one."""
    cut = text.split("/")
    if not text or "\0" in text or len(cut) > MAX_LEVELS:
        return False
    return all(level in ("+", "#") or not ("+" in level or "#" in level) for level in cut) and "#" not in cut[:-1]


def is_topic(text: str) -> bool:
    """Whether something can be published to it."""
    return is_filter(text) and "+" not in text and "#" not in text and len(text.encode()) <= 0xFFFF


def covers(wide: Levels, narrow: Levels) -> bool:
    """Whether a filter means all that another one means; a topic is a filter that means itself.

    A wildcard at the beginning does not mean topics that begin with `$`.
    """
    if narrow[0].startswith("$") and wide[0] in ("+", "#"):
        return False
    for index, level in enumerate(wide):
        if level == "#":
            return True
        if index >= len(narrow) or narrow[index] == "#" or level not in ("+", narrow[index]):
            return False
    return len(wide) == len(narrow)
