"""What does a set of boosted trees forecast? Trees as arrays: walked one row at a time, or many rows at once.

Sources: boosted trees, Friedman 2001; random forests, Breiman 2001.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np
import numpy.typing as npt

from osler.errors import InvalidModelInput

Floats = npt.NDArray[np.float64]

LEAF = -1
DEEPEST = 64


class Tree(msgspec.Struct, frozen=True):
    """One binary tree. Node i asks `feature[i] <= threshold[i]`: yes goes to `left[i]`, no to `right[i]`.

    A leaf has feature -1 and gives `value[i]`. Children stand after their parents, so that every walk ends.
    """

    feature: tuple[int, ...]
    threshold: tuple[float, ...]
    left: tuple[int, ...]
    right: tuple[int, ...]
    value: tuple[float, ...]


class Boosted(msgspec.Struct, frozen=True):
    """A sum of trees on top of a baseline, in logits."""

    baseline: float
    trees: tuple[Tree, ...]


def check(model: Boosted, features: int) -> None:
    """Refuse trees that could not be walked. Errors: InvalidModelInput, saying what is wrong."""
    if not np.isfinite(model.baseline):
        raise InvalidModelInput("The baseline of boosted trees must be finite.")
    for tree in model.trees:
        nodes = len(tree.feature)
        if not nodes or any(len(part) != nodes for part in (tree.threshold, tree.left, tree.right, tree.value)):
            raise InvalidModelInput("A tree's arrays must be of one length, with at least a root.")
        if not (np.isfinite(tree.threshold).all() and np.isfinite(tree.value).all()):
            raise InvalidModelInput("A tree holds a value that is not finite.")
        for i, feature in enumerate(tree.feature):
            if feature == LEAF:
                continue
            if not (0 <= feature < features and i < tree.left[i] < nodes and i < tree.right[i] < nodes):
                raise InvalidModelInput("A tree points outside its features or nodes.")


def logit_of(model: Boosted, row: Sequence[float]) -> float:
    """The forecast of one row in logits: a walk down each tree in plain Python."""
    total = model.baseline
    for tree in model.trees:
        feature, threshold, left, right = tree.feature, tree.threshold, tree.left, tree.right
        node = 0
        while (asked := feature[node]) >= 0:
            node = left[node] if row[asked] <= threshold[node] else right[node]
        total += tree.value[node]
    return total


def logits_of(model: Boosted, rows: Floats) -> Floats:
    """The forecasts of many rows in logits; tree by tree, all rows one level down at a time.

    Shapes: rows (n, features) gives (n,). Equal to `logit_of` row by row, to the last bit.
    """
    total = np.full(rows.shape[0], model.baseline)
    every = np.arange(rows.shape[0], dtype=np.int64)
    for tree in model.trees:
        feature, threshold = np.array(tree.feature), np.array(tree.threshold)
        left, right = np.array(tree.left), np.array(tree.right)
        node = np.zeros(rows.shape[0], dtype=np.int64)
        for _ in range(DEEPEST):
            asked = feature[node]
            inside = asked >= 0
            if not inside.any():
                break
            goes_left = rows[every, np.maximum(asked, 0)] <= threshold[node]
            node = np.where(inside, np.where(goes_left, left[node], right[node]), node)
        total += np.array(tree.value)[node]
    return total
