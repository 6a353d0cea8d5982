"""Cells: which genotypes are the same network."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from neurocomp.arch.cell import (
    AVGPOOL3,
    SKIP,
    ZEROIZE,
    Cell,
    CellKind,
    all_cells,
    canonical,
    conv,
    edges,
    live,
    n_convolutions,
)
from neurocomp.arch.cell import SNASNET as KIND

SNASNET = (ZEROIZE, SKIP, conv(1, 8), conv(3, 8), AVGPOOL3)
C = conv(3, 8)
Z = ZEROIZE


def cells(n: int = 4) -> st.SearchStrategy[Cell]:
    size = n * (n - 1) // 2
    return st.tuples(*[st.sampled_from(SNASNET)] * size).filter(lambda c: c[n - 2] != ZEROIZE)


def renamed(cell: Cell) -> Cell:
    """Nodes 1 and 2 of a 4-node cell exchanged; only right where no edge joins them."""
    e01, e02, e03, _, e13, e23 = cell
    return (e02, e01, e03, ZEROIZE, e23, e13)


def test_edges_are_in_the_order_that_benchmarks_use() -> None:
    assert edges(KIND) == ((0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3))


@pytest.mark.parametrize(
    ("genotype", "alive"),
    [
        ((C, Z, C, Z, Z, Z), (Z, Z, C, Z, Z, Z)),  # node 1 leads nowhere
        ((Z, Z, C, C, C, C), (Z, Z, C, Z, Z, Z)),  # nodes 1 and 2 are fed by nothing
        ((C, Z, C, C, Z, Z), (Z, Z, C, Z, Z, Z)),  # 0→1→2 ends at 2, so both are dead
        ((C, Z, C, C, Z, C), (C, Z, C, C, Z, C)),  # 0→1→2→3 is alive
        ((C, C, C, C, C, Z), (C, Z, C, Z, C, Z)),  # 2 leads nowhere, 1→2 goes with it
        ((Z, Z, Z, Z, Z, Z), (Z, Z, Z, Z, Z, Z)),
    ],
)
def test_dead_nodes_drop_out(genotype: Cell, alive: Cell) -> None:
    assert live(genotype) == alive


def test_the_forward_space_has_7556_live_cells_of_which_7012_differ_by_more_than_names() -> None:
    genotypes = list(product(SNASNET, repeat=6))
    assert len(genotypes) == 5**6 == 15_625
    direct = [g for g in genotypes if g[2] != ZEROIZE]
    assert set(direct) == set(all_cells(KIND, SNASNET, direct=True))
    assert len(direct) == 4 * 5**5 == 12_500
    alive = {live(g) for g in direct}
    assert len(alive) == 7_556
    assert len({canonical(g) for g in direct}) == 7_012
    # The difference by hand: nodes 1 and 2 can exchange names where no edge joins them. With both
    # alive (0→1→3 and 0→2→3, 0→3: 4⁵ cells) all but the 4³ mirror images come in pairs; with one
    # alive each of the 4³ cells comes once per name.
    assert 7_556 - 7_012 == (4**5 - 4**3) // 2 + 4**3


@given(cells())
def test_canonical_is_live_stable_and_blind_to_names(cell: Cell) -> None:
    same = canonical(cell)
    assert canonical(same) == same
    assert canonical(live(cell)) == same
    assert live(same) == same
    assert sorted(same) == sorted(live(cell))
    alive = live(cell)
    if alive[3] == ZEROIZE:
        assert canonical(renamed(alive)) == same


@given(cells(), cells())
def test_cells_of_different_ops_are_never_one(a: Cell, b: Cell) -> None:
    if sorted(live(a)) != sorted(live(b)):
        assert canonical(a) != canonical(b)


def test_weight_bits_tell_cells_apart_but_not_their_names() -> None:
    a = (conv(3, 2), conv(3, 8), SKIP, Z, SKIP, SKIP)
    assert canonical(a) == canonical(renamed(a))
    b = (conv(3, 4), conv(3, 8), SKIP, Z, SKIP, SKIP)
    assert canonical(a) != canonical(b)


@given(st.data())
def test_five_node_cells_keep_their_identity_under_every_forward_renaming(data) -> None:
    five = CellKind(nodes=5)
    cell = live(data.draw(cells(5)), five)
    names = data.draw(st.permutations([1, 2, 3]))
    to = dict(zip(range(5), [0, *names, 4], strict=True))
    by_edge = dict(zip(edges(five), cell, strict=True))
    moved = {(to[i], to[j]): op for (i, j), op in by_edge.items() if op != ZEROIZE}
    if all(i < j for i, j in moved):
        other = tuple(moved.get(e, ZEROIZE) for e in edges(five))
        assert canonical(other, five) == canonical(cell, five)


def test_only_live_convolutions_count() -> None:
    assert n_convolutions((C, C, SKIP, C, Z, Z)) == 0
    assert n_convolutions((C, C, C, C, AVGPOOL3, Z)) == 2
