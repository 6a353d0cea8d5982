"""Graph, shapes, schedule, verification and the graph file."""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from neurocomp.errors import InputError
from neurocomp.ir import (
    Conv,
    CubaLif,
    Dense,
    Graph,
    Input,
    LoihiLif,
    Population,
    Projection,
    archive,
    average_pool,
    skip,
    verify,
)
from neurocomp.ir.schedule import axon_delays, depths
from neurocomp.ir.shapes import conv_output, fan_in, n_synapses, n_weights
from neurocomp.ir.store import load, save


def diamond(**changes: object) -> Graph:
    """in → a → b → c with a skip a → c; 2 channels of 4×4, T = 3."""
    conv = Conv((3, 3), padding=(1, 1))
    shape = (2, 4, 4)
    graph = Graph(
        "diamond",
        (
            Population("in", shape, Input(bits=4)),
            Population("a", shape, CubaLif()),
            Population("b", shape, CubaLif(), bias=np.zeros(2)),
            Population("c", shape, CubaLif()),
        ),
        (
            Projection("in-a", "in", "a", conv, 4),
            Projection("a-b", "a", "b", conv, 2, mask=np.ones((2, 2, 3, 3), np.bool_)),
            Projection("b-c", "b", "c", conv),
            Projection("a-c", "a", "c", skip(2), weight=np.ones((2, 1, 1, 1))),
        ),
        output="c",
        timesteps=3,
    )
    return replace(graph, **changes)  # type: ignore[arg-type]


class TestShapes:
    def test_convolution(self) -> None:
        # 66 rows, kernel 5, stride 2: floor((66 − 5)/2) + 1 = 31; 200 columns: 98
        assert conv_output(Conv((5, 5), stride=(2, 2)), (3, 66, 200), 24) == (24, 31, 98)
        # dilation 2 makes a kernel of 3 span 5: 10 + 2·1 − 5 + 1 = 8
        assert conv_output(Conv((3, 3), padding=(1, 1), dilation=(2, 2)), (1, 10, 10), 1)[1] == 8

    def test_counts(self) -> None:
        assert fan_in(Conv((3, 3), groups=2), (8, 4, 4)) == 4 * 9
        assert n_weights(Conv((3, 3), groups=2), (8, 4, 4), (6, 2, 2)) == 6 * 36
        assert n_synapses(Conv((3, 3), groups=2), (8, 4, 4), (6, 2, 2)) == 24 * 36
        assert (
            n_weights(Dense(), (2, 3, 4), (5, 1, 1))
            == 24 * 5
            == n_synapses(Dense(), (2, 3, 4), (5, 1, 1))
        )
        assert n_weights(average_pool(4, 2, 2), (4, 8, 8), (4, 4, 4)) == 4 * 4


class TestSchedule:
    def test_shorter_paths_wait(self) -> None:
        assert depths(diamond()) == {"in": 0, "a": 1, "b": 2, "c": 3}
        assert axon_delays(diamond()) == {"in-a": 0, "a-b": 0, "b-c": 0, "a-c": 1}

    def test_feedback_needs_its_loops_steps(self) -> None:
        # c → a closes a loop of three projections: spikes of step t can act at t + 3 at best
        back = Projection("c-a", "c", "a", skip(2), delay=3)
        g = diamond()
        assert axon_delays(replace(g, projections=(*g.projections, back)))["c-a"] == 0
        with pytest.raises(InputError, match="'c-a' needs a delay of at least 3, got 2"):
            axon_delays(replace(g, projections=(*g.projections, replace(back, delay=2))))

    def test_delayed_projection_from_a_deep_population(self) -> None:
        """in → a → b → c with delay 1 from b to c: c hears b's step t − 1, and b stands at 2."""
        g = diamond()
        kept = tuple(e for e in g.projections if e.target != "c")
        late = replace(next(e for e in g.projections if e.target == "c"), source="b", delay=1)
        g = replace(g, projections=(*kept, late))
        assert depths(g) == {"in": 0, "a": 1, "b": 2, "c": 2}
        assert axon_delays(g)[late.name] == 0

    def test_free_running_network_needs_no_depth(self) -> None:
        g = diamond(projections=tuple(replace(e, delay=1) for e in diamond().projections))
        assert set(depths(g).values()) == {0}
        assert set(axon_delays(g).values()) == {0}

    def test_cycle(self) -> None:
        g = diamond()
        back = Projection("c-a", "c", "a", skip(2))
        with pytest.raises(InputError, match=r"without delay form a cycle.*a delay of at least 1"):
            depths(replace(g, projections=(*g.projections, back)))


class TestVerify:
    def test_good(self) -> None:
        g = diamond()
        assert verify(g) is g

    def test_all_faults_at_once(self) -> None:
        g = diamond(output="nowhere", readout="smell", timesteps=0)
        with pytest.raises(InputError) as caught:
            verify(g)
        text = str(caught.value)
        assert "3 faults" in text
        assert "output 'nowhere' is no population" in text
        assert "readout must be 'membrane' or 'spikes', got 'smell'" in text
        assert "timesteps must be at least 1, got 0" in text

    @pytest.mark.parametrize(
        ("name", "change", "message"),
        [
            ("a-b", {"op": Conv((5, 5))}, r"makes \(2, 0, 0\) of \(2, 4, 4\)"),
            ("a-b", {"op": Conv((3, 3), padding=(1, 1), groups=3)}, "3 groups must divide"),
            ("a-b", {"op": Conv((0, 3))}, "must be positive"),
            ("a-b", {"weight_bits": 9}, "weight bits must be 1 to 8, got 9"),
            ("a-b", {"delay": -1}, "delay must not be negative"),
            ("a-b", {"mask": np.ones(3, np.bool_)}, "mask must be booleans of shape"),
            ("a-c", {"weight": np.ones((2, 1))}, r"weight must have shape \(2, 1, 1, 1\)"),
            ("a-c", {"weight": np.full((2, 1, 1, 1), np.nan)}, "2 values that are not finite"),
            ("a-c", {"weight": np.full((2, 1, 1, 1), "x")}, "must be numbers, got <U1"),
            ("a-b", {"source": "gone"}, "source 'gone' is no population"),
            ("a-b", {"name": "b-c"}, "two projections are named 'b-c'"),
            ("in-a", {"target": "in"}, "an input cannot have incoming projections"),
        ],
    )
    def test_projection_faults(self, name: str, change: dict[str, object], message: str) -> None:
        g = diamond()
        changed = tuple(
            replace(e, **change) if e.name == name else e  # type: ignore[arg-type]
            for e in g.projections
        )
        with pytest.raises(InputError, match=message):
            verify(replace(g, projections=changed))

    @pytest.mark.parametrize(
        ("name", "change", "message"),
        [
            ("b", {"shape": (2, 4)}, "shape must be three positive sizes"),
            ("b", {"shape": (10**6, 10**6, 10**6)}, "shape must be three positive sizes"),
            ("b", {"bias": np.zeros(3)}, r"bias must have shape \(2,\)"),
            ("in", {"neuron": Input(bits=99)}, "input bits must be 1 to 16"),
            ("in", {"neuron": CubaLif()}, "there is no input population"),
        ],
    )
    def test_population_faults(self, name: str, change: dict[str, object], message: str) -> None:
        g = diamond()
        changed = tuple(
            replace(p, **change) if p.name == name else p  # type: ignore[arg-type]
            for p in g.populations
        )
        with pytest.raises(InputError, match=message):
            verify(replace(g, populations=changed))

    def test_stages(self) -> None:
        with pytest.raises(InputError, match="'in-a': has no weights; train the network first"):
            verify(diamond(), trained=True)
        with pytest.raises(InputError, match="'a': an integer graph needs a LoihiLif neuron"):
            verify(diamond(), integer=True)
        g = diamond()
        lone = Population("d", (1, 1, 1), LoihiLif(1))
        with pytest.raises(InputError, match="'d': no projection leads to it"):
            verify(replace(g, populations=(*g.populations, lone)))


class TestStore:
    def test_round_trip(self, tmp_path: Path) -> None:
        path = tmp_path / "net.npz"
        save(diamond(), path)
        assert load(path).digest() == diamond().digest()
        assert [f.name for f in tmp_path.iterdir()] == ["net.npz"]

    def test_digest_sees_every_change(self) -> None:
        g = diamond()
        changed = [
            replace(g, timesteps=4),
            replace(
                g, populations=(*g.populations[:3], replace(g.populations[3], bias=np.ones(2)))
            ),
            replace(g, projections=(replace(g.projections[0], weight_bits=5), *g.projections[1:])),
            replace(g, projections=(replace(g.projections[0], delay=1), *g.projections[1:])),
        ]
        assert len({g.digest(), *(c.digest() for c in changed)}) == 5

    @pytest.mark.parametrize(
        ("content", "found"),
        [
            (b"", "is empty"),
            (b"not a zip", "holds text"),
            (b"PK\x03\x04broken", "is damaged or cut short"),
        ],
    )
    def test_damaged(self, tmp_path: Path, content: bytes, found: str) -> None:
        path = tmp_path / "net.npz"
        path.write_bytes(content)
        with pytest.raises(InputError, match=f"net.npz: {found}; expected a neurocomp graph file"):
            load(path)

    def test_truncated(self, tmp_path: Path) -> None:
        path = tmp_path / "net.npz"
        save(diamond(), path)
        path.write_bytes(path.read_bytes()[:-200])
        with pytest.raises(InputError, match="is damaged or cut short; expected a neurocomp graph"):
            load(path)

    def test_flipped_bytes(self, tmp_path: Path) -> None:
        path = tmp_path / "net.npz"
        save(diamond(), path)
        content = bytearray(path.read_bytes())
        for start in range(0, len(content), 40):
            damaged = content.copy()
            damaged[start : start + 30] = bytes(b ^ 0x5A for b in damaged[start : start + 30])
            path.write_bytes(damaged)
            try:
                load(path)
            except InputError:
                continue  # any other error is a traceback for the user

    def test_pickles_are_refused(self, tmp_path: Path) -> None:
        path = tmp_path / "net.npz"
        np.savez(path, header=np.array([{"evil": 1}], dtype=object))
        with pytest.raises(InputError, match="'header': must hold numbers, is of type object"):
            load(path)

    def test_other_format(self, tmp_path: Path) -> None:
        path = tmp_path / "net.npz"
        header = np.frombuffer(json.dumps({"format": "other/9"}).encode(), np.uint8)
        np.savez(path, header=header)
        with pytest.raises(InputError, match="format is 'other/9', expected 'neurocomp-graph/1'"):
            load(path)

    def test_missing(self, tmp_path: Path) -> None:
        with pytest.raises(InputError, match=r"gone.npz: no such file"):
            load(tmp_path / "gone.npz")

    def test_an_array_that_declares_more_than_it_holds(self, tmp_path: Path) -> None:
        path = tmp_path / "net.npz"
        save(diamond(), path)
        declared = io.BytesIO()
        np.lib.format.write_array_header_1_0(
            declared, {"shape": (10**12,), "fortran_order": False, "descr": "<f4"}
        )
        with zipfile.ZipFile(path, "a") as archive:
            archive.writestr("e9.weight.npy", declared.getvalue())
        with pytest.raises(InputError, match=r"'e9.weight': declares the shape \(1000000000000,\)"):
            load(path)

    def test_a_header_nested_too_deeply(self, tmp_path: Path) -> None:
        path = tmp_path / "net.npz"
        np.savez(path, header=np.frombuffer(b"[" * 100_000, np.uint8))
        with pytest.raises(InputError, match="is damaged or cut short: its header is no JSON"):
            load(path)

    def test_an_encrypted_archive(self, tmp_path: Path) -> None:
        path = tmp_path / "net.npz"
        save(diamond(), path)
        content = bytearray(path.read_bytes())
        for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
            start = content.find(mark)
            while start >= 0:
                content[start + offset] |= 1  # the flag of an encrypted member
                start = content.find(mark, start + 4)
        path.write_bytes(content)
        with pytest.raises(InputError, match=r"net.npz: array '.*' is encrypted; save it without"):
            load(path)

    def test_an_archive_that_unpacks_to_too_much(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path = tmp_path / "net.npz"
        save(diamond(), path)
        monkeypatch.setattr(archive, "MAX_BYTES", 100)
        with pytest.raises(InputError, match=r"unpacks to .* bytes in .* arrays; at most 100 in"):
            load(path)

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"timesteps": "4"}, r"timesteps: should be a valid integer, got '4'"),
            ({"colour": 1}, r"colour: unknown key"),
            ({"populations": {"shape": [1, "2", 3]}}, r"populations.1.shape.1"),
            ({"populations": {"shape": [1, 2]}}, r"a shape has three sizes, got \[1, 2\]"),
            ({"populations": {"shape": [10**5, 10**5, 10**5]}}, r"shape must be three positive"),
            ({"populations": {"neuron": {"kind": "quantum"}}}, r"unknown kind 'quantum'"),
            ({"populations": {"neuron": {"kind": "cuba", "colour": 1}}}, r"cuba has no colour"),
            ({"populations": {"neuron": {"kind": "cuba", "threshold": "1"}}}, r"threshold"),
            (
                {"populations": {"neuron": {"kind": "cuba", "threshold": float("nan")}}},
                r"threshold must be a finite number, got nan",
            ),
            ({"projections": {"op": {"kind": "conv", "kernel": [3]}}}, r"kernel.1: is missing"),
            ({"projections": {"source": "../../etc"}}, r"'../../etc' is no population"),
        ],
    )
    def test_a_wrong_header(self, tmp_path: Path, change: dict[str, Any], message: str) -> None:
        path = tmp_path / "net.npz"
        save(diamond(), path)
        with np.load(path) as arrays:
            parts = dict(arrays)
        header = json.loads(parts["header"].tobytes())
        for key, value in change.items():
            if isinstance(value, dict):
                header[key][1].update(value)
            else:
                header[key] = value
        parts["header"] = np.frombuffer(json.dumps(header).encode(), np.uint8)
        np.savez(path, **parts)
        with pytest.raises(InputError, match=message):
            load(path)
