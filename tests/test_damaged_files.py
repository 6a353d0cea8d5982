"""Files with flipped, cut and inserted bytes: they read, or end in an `InputError`.

All of it runs in bounded memory and time; no other exception is ever raised.
"""

from __future__ import annotations

import resource
import warnings
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from time import process_time
from typing import Any

import nir
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from netx_files import conv, dense, layer, sdnn, write
from nir_graphs import chain, lif, linear

from neurocomp.errors import InputError
from neurocomp.formats.netx import read_netx
from neurocomp.formats.nir import read_nir
from neurocomp.ir import Dense, Graph, Input, LoihiLif, Population, Projection
from neurocomp.ir.archive import archived, mapped_array
from neurocomp.ir.store import load, save
from neurocomp.readable import ZIP, FileKind

SPIKES = FileKind("spikes (.npz)", ZIP, "save them with numpy.savez")
MEMORY = 2**30  # more than the process has, which one file may ask for
SECONDS = 2.0  # of CPU time, for one file


def make_netx(path: Path) -> None:
    write(
        path,
        layer("input", (1, 3, 3), neuron=sdnn(3)),
        conv((2, 2, 2), np.full((2, 1, 2, 2), 2), bias=[1, 2], neuron=sdnn(4)),
        layer("flatten", (8, 1, 1)),
        dense(np.full((2, 8), 4), delay=np.arange(8), neuron=sdnn(4)),
    )


def make_nir(path: Path) -> None:
    nir.write(path, chain([2], linear([0.6, -0.3], [0.1, 0.2]), lif(2), linear([1.0, 0.5]), lif()))


def make_graph(path: Path) -> None:
    neurons = (Population("in", (2, 1, 1), Input()), Population("out", (1, 1, 1), LoihiLif(3)))
    e = Projection("e", "in", "out", Dense(), weight=np.array([[4, -2]]), delay=1)
    save(Graph("one", neurons, (e,), "out", readout="spikes"), path)


def make_spikes(path: Path) -> None:
    np.savez_compressed(path, a=np.arange(40).reshape(5, 8), b=np.ones((3, 3), bool))


def read_spikes(path: Path) -> Any:
    with archived(path, SPIKES) as archive:
        return archive.read_all()


KINDS: dict[str, tuple[Callable[[Path], Any], Callable[[Path], Any]]] = {
    "x.net": (make_netx, read_netx),
    "x.nir": (make_nir, read_nir),
    "graph.npz": (make_graph, load),
    "spikes.npz": (make_spikes, read_spikes),
    "x.npy": (lambda path: np.save(path, np.arange(12).reshape(3, 4)), mapped_array),
}
PLACE, BYTES = st.floats(0, 1, exclude_max=True), st.binary(min_size=1, max_size=12)
CHANGES = st.lists(
    st.tuples(st.sampled_from(["flip", "cut", "insert", "drop"]), PLACE, BYTES),
    min_size=1,
    max_size=4,
)


def changed(content: bytes, changes: list[tuple[str, float, bytes]]) -> bytes:
    """A file's content with some of its bytes changed."""
    for how, place, given_bytes in changes:
        i = int(place * len(content))
        after = {
            "flip": given_bytes + content[i + len(given_bytes) :],
            "cut": b"",
            "insert": given_bytes + content[i:],
            "drop": content[i + len(given_bytes) :],
        }
        content = content[:i] + after[how]
    return content


@pytest.fixture
def little_memory() -> Iterator[None]:
    """The process may take no more than `MEMORY` beyond what it has."""
    before = resource.getrlimit(resource.RLIMIT_AS)
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    now = pages * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (now + MEMORY, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_AS, before)


@pytest.mark.parametrize("name", KINDS)
def test_damage_ends_in_a_clear_error_or_a_network(
    name: str, little_memory: None, tmp_path_factory: pytest.TempPathFactory
) -> None:
    make, read = KINDS[name]
    path = tmp_path_factory.mktemp("damaged") / name
    make(path)
    whole = path.read_bytes()

    @settings(max_examples=250, deadline=None, derandomize=True)
    @given(changes=CHANGES)
    def check(changes: list[tuple[str, float, bytes]]) -> None:
        path.write_bytes(changed(whole, changes))
        start = process_time()
        with warnings.catch_warnings(), suppress(InputError):
            warnings.simplefilter("ignore")
            read(path)
        assert process_time() - start < SECONDS

    check()
