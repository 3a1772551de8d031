"""`EDGE_WEIGHT_SECTION`: a matrix written out, whole or a triangle of it."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from route_optimizer.formats.instance import Convention
from route_optimizer.formats.vrplib_text import Text
from route_optimizer.problem import Matrix
from route_optimizer.validation import LONGEST_M

#: which cells a format has, row by row, for that many nodes
_CELLS: dict[str, Callable[[int], tuple[NDArray[np.intp], NDArray[np.intp]]]] = {
    "LOWER_ROW": lambda n: np.tril_indices(n, -1),
    "LOWER_DIAG_ROW": lambda n: np.tril_indices(n),
    "UPPER_ROW": lambda n: np.triu_indices(n, 1),
    "UPPER_DIAG_ROW": lambda n: np.triu_indices(n),
    # column by column, a triangle is the other one row by row
    "LOWER_COL": lambda n: np.triu_indices(n, 1),
    "LOWER_DIAG_COL": lambda n: np.triu_indices(n),
    "UPPER_COL": lambda n: np.tril_indices(n, -1),
    "UPPER_DIAG_COL": lambda n: np.tril_indices(n),
}
FORMATS = ("FULL_MATRIX", *_CELLS)


def check(file: Text, count: int) -> None:
    """That a file writes out as many numbers as the matrix of `count` nodes has: before anything is made of them.

    Raises:
        FormatError: naming the line.
    """
    line, form = file.keys.get("EDGE_WEIGHT_FORMAT", (file.last, "none"))
    if form.upper() not in FORMATS:
        raise file.error(line, f"EDGE_WEIGHT_FORMAT is {form}", f"only {', '.join(FORMATS)} can be read")
    numbers = file.lists.get("EDGE_WEIGHT_SECTION", [])
    diagonal = count if "DIAG" in form.upper() else 0
    belong = count * count if form.upper() == "FULL_MATRIX" else count * (count - 1) // 2 + diagonal
    if len(numbers) != belong:
        wrong = f"EDGE_WEIGHT_SECTION has {len(numbers)} numbers where {belong} belong"
        raise file.error(numbers[-1][0] if numbers else file.last, wrong, f"give {form} of {count} nodes")


def explicit(file: Text, nodes: Sequence[int], convention: Convention) -> Matrix:
    """The matrix that a file writes out, its rows in the order of `nodes`; travel takes as long as the way is.

    Raises:
        FormatError: naming the line.
    """
    count = len(nodes)
    check(file, count)
    if sorted(nodes) != list(range(1, count + 1)):
        raise file.error(file.last, "the nodes of a matrix are its rows", "number the nodes 1, 2, 3 ...")
    numbers = file.lists.get("EDGE_WEIGHT_SECTION", [])
    form = file.keys["EDGE_WEIGHT_FORMAT"][1].upper()
    rows, columns = _CELLS.get(form, lambda n: tuple(np.indices((n, n)).reshape(2, -1)))(count)
    for at, weight in numbers:
        if not 0 <= weight * convention.scale <= LONGEST_M:
            remedy = f"give 0 to {LONGEST_M // convention.scale:,}"
            raise file.error(at, f"the weight {weight:g} is no distance", remedy)
    weights = np.zeros((count, count), dtype=np.int64)
    weights[rows, columns] = [convention.whole(weight) for _, weight in numbers]
    if form != "FULL_MATRIX":
        weights = np.maximum(weights, weights.T)
    np.fill_diagonal(weights, 0)
    order = [node - 1 for node in nodes]
    way = weights[np.ix_(order, order)]
    return Matrix(way, way)
