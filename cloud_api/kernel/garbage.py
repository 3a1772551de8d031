"""Keeps Python's search for garbage cycles out of requests.

A full collection walks everything there is: of the platform a million objects, a tenth of a second and more. Most of
them are made once (classes, routes, pages, statements that were compiled) and never become garbage. As Python comes,
one of fourteen requests of the console was halted by a full collection.
"""

import gc
from collections.abc import Mapping

#: so many objects more than before set off a collection of the youngest: some of a request's, rather than fifteen times
#: in it; what is still in use at each is taken for long-lived, and left to a full collection
_YOUNG = 5_000
#: collections of the youngest before one of the middle-aged, and of these before a full one: after some 1,000 requests
_MIDDLE, _FULL = 10, 100
#: full collections until everything has been used that will be
_UNTIL_WARM = 5


def settle() -> None:
    """Put aside what was made until now, once a process is ready to work, and what its first work adds.

    What is put aside is not looked through again; it is given back as ever when nobody refers to it, but for cycles:
    hence a few times only, and not for as long as the process lives.
    """
    gc.set_threshold(_YOUNG, _MIDDLE, _FULL)
    gc.collect()
    gc.freeze()
    left = _UNTIL_WARM

    def put_aside(phase: str, info: Mapping[str, int]) -> None:
        nonlocal left
        if phase == "stop" and info["generation"] == 2:
            gc.freeze()
            left -= 1
            if left == 0:
                gc.callbacks.remove(put_aside)

    gc.callbacks.append(put_aside)
