"""Whole test sets: counts, traffic, workers, results that are kept, traces."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections import Counter
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from backend_networks import chain, dag, images, pair, run_engines, running, spread

from neurocomp import backend
from neurocomp.backend import kept as kept_module
from neurocomp.backend.counts import Counts, count
from neurocomp.backend.emit import emit
from neurocomp.backend.engine.chip import Engine
from neurocomp.backend.engine.heard import Inlet
from neurocomp.backend.execution import Executed
from neurocomp.backend.kept import Kept
from neurocomp.backend.room import at_once, sample_bytes
from neurocomp.backend.run import BACKENDS
from neurocomp.backend.traffic import messages, operations, per_core
from neurocomp.backend.workers import side_by_side
from neurocomp.errors import InputError, RunError
from neurocomp.flow.context import measured_rates
from neurocomp.ir import Dense, Graph, Input, LoihiLif, Population, Projection
from neurocomp.mapping import map_graph
from neurocomp.mapping.activity import rates_of
from neurocomp.mapping.flow import flow
from neurocomp.mapping.model import Partition
from neurocomp.quant import reference
from neurocomp.quant.reference import UNWATCHED, Watch
from neurocomp.spec.target import load_target

TIMEOUT_S = 60.0
REFERENCE = BACKENDS["reference"]
LIMIT_S = 2.0


def counted(graph: Graph, values: np.ndarray) -> Counts:
    """What the reference's spikes count."""
    trace = reference.run(graph, values)
    return count(graph, Executed(values, trace, 1, 0.0), None)


@pytest.mark.parametrize("make", [chain, dag, running])
@pytest.mark.parametrize("cuts", [(1, 1, 1), (2, 2, 1), (4, 3, 2)])
def test_messages_between_cores_are_what_the_mapper_foretells(make: Any, cuts: Any) -> None:
    """The mapper's flow, from regions and rates, and our count, spike by spike, agree."""
    graph = make()
    mapping = spread(graph, cuts)
    values = images(graph, 3, steps=None if graph.timesteps else 9)
    counts = counted(graph, values)
    sent = messages(graph, mapping, counts.fired)
    n = counts.samples * counts.window
    rates = {name: fired / n for name, fired in counts.fired.items()}
    foretold = flow(graph, mapping.partition, rates_of(graph, rates))
    assert sum(sent[p.name] for p in graph.neurons) == pytest.approx(foretold.between.sum() * n)
    assert sum(sent[p.name] for p in graph.inputs) == pytest.approx(foretold.inputs.sum() * n)


def test_messages_of_a_real_mapping_are_foretold() -> None:
    graph = dag()
    mapping = map_graph(graph, load_target("loihi2"), "compiler")
    found = backend.simulate(graph, mapping, images(graph, 4), timeout_s=TIMEOUT_S)
    foretold = flow(graph, mapping.partition, rates_of(graph, found.rates))
    assert found.messages == pytest.approx(foretold.between.sum() * 4 * 6)
    assert found.input_messages == pytest.approx(foretold.inputs.sum() * 4 * 6)
    assert found.synops_per_core is not None
    assert sum(found.synops_per_core) == sum(x.synops for x in found.layers)


@pytest.mark.parametrize("make", [chain, dag, running])
@pytest.mark.parametrize("cuts", [(1, 1, 1), (2, 2, 1), (1, 1, 3)])
def test_messages_are_what_the_engines_deliver(
    make: Any, cuts: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every core on a chip of its own: what comes in over its links, and from the input, is counted
    where the engine writes it down; the mapper foretells the same."""
    graph = make()
    mapping = spread(graph, cuts, chips=spread(graph, cuts).n_cores)
    values = images(graph, 3, steps=None if graph.timesteps else 9)
    counts = counted(graph, values)
    delivered: Counter[str] = Counter()
    comes_in: list[bool] = []  # while a chip takes in what is not its own

    def taking_in(method: Any) -> Any:
        def wrapped(*args: Any) -> None:
            comes_in.append(True)
            method(*args)
            comes_in.pop()

        return wrapped

    def write(inlet: Inlet, first: int, steps: int, sent: np.ndarray) -> None:
        original(inlet, first, steps, sent)
        if comes_in and inlet._heard is not None:
            y, x, c = inlet._into
            heard = inlet._heard
            written = heard.data[heard.rows(first, steps), y, x, c]
            each = counts.window if heard.still else 1
            delivered[heard.box.population] += each * np.count_nonzero(written)

    original = Inlet.write
    monkeypatch.setattr(Inlet, "write", write)
    monkeypatch.setattr(Engine, "hear", taking_in(Engine.hear))
    monkeypatch.setattr(Engine, "_show", taking_in(Engine._show))
    run_engines(graph, emit(graph, mapping), [values])
    sent = messages(graph, mapping, counts.fired)
    assert delivered == {name: n for name, n in sent.items() if n}
    n = counts.samples * counts.window
    rates = {name: fired / n for name, fired in counts.fired.items()}
    foretold = flow(graph, mapping.partition, rates_of(graph, rates))
    between = sum(delivered[p.name] for p in graph.neurons)
    assert between == pytest.approx(foretold.between.sum() * n)


@pytest.mark.parametrize("lost", [None, ("a", 0), ("in", None)])
def test_operations_follow_the_routes(lost: tuple[str, int | None] | None) -> None:
    """Neurons that sent 5, 7, 2 and 3 messages; those of a lost route reach no synapse.

    `pair`: neurons 0 and 1 of "a" on cores 0 and 1 hear one input each, the readout on core 2 both.
    """
    graph, mapping = pair()
    routes = tuple(r for r in mapping.routes if (r.population, r.source) != lost)
    mapping = replace(mapping, routes=routes)
    fired = {name: np.array(n).reshape(-1, 1, 1) for name, n in (("in", [5, 7]), ("a", [2, 3]))}
    done = operations(graph, Counts(fired=fired), mapping)
    assert done["in-a"].ravel().tolist() == ([0, 0] if lost == ("in", None) else [5, 7])
    assert done["a-out"].ravel().tolist() == [3 if lost == ("a", 0) else 5]
    assert operations(graph, Counts(fired=fired), None)["a-out"].ravel().tolist() == [5]


def test_a_neuron_on_no_core_makes_no_operations() -> None:
    graph, mapping = pair()
    cores = ((), *mapping.partition.cores[1:])
    routes = tuple(r for r in mapping.routes if r.source != 0)
    mapping = replace(mapping, partition=Partition(cores), routes=routes)
    fired = {name: np.array(n).reshape(-1, 1, 1) for name, n in (("in", [5, 7]), ("a", [0, 3]))}
    done = operations(graph, Counts(fired=fired), mapping)
    assert done["in-a"].ravel().tolist() == [0, 7]
    assert done["a-out"].ravel().tolist() == [3]


@pytest.mark.parametrize("bits", [1, 4])
def test_measured_rates_are_those_of_a_simulation(bits: int) -> None:
    """Of graded inputs as of spikes: the share of values that are not zero is what is counted."""
    graph = dag()
    source = replace(graph.inputs[0], neuron=Input(bits))
    graph = replace(graph, populations=(source, *graph.neurons))
    values = np.minimum(images(graph, 4), 2**bits - 1)
    values[:, 0] = 0
    found = backend.simulate(graph, None, values, backend="reference").rates
    rates = measured_rates(graph, values)
    assert rates.keys() == found.keys()
    for name, rate in rates.items():
        np.testing.assert_allclose(rate, found[name], rtol=1e-12)
    assert rates_of(graph, rates).measured
    assert 0 < rates_of(graph, rates).mean(source.name) < 1


def test_operations_with_delays_per_synapse_by_hand() -> None:
    """T = 3, one neuron that fires in each step, weights with delays 0, 1 and 5: 3 + 2 + 0."""
    delays = np.array([[0], [1], [5]])
    e = Projection("e", "in", "out", Dense(), 8, np.array([[1], [2], [3]]), delays=delays)
    populations = (
        Population("in", (1, 1, 1), Input()),
        Population("out", (3, 1, 1), LoihiLif(vth=9)),
    )
    graph = Graph("late", populations, (e,), "out", timesteps=3, readout="spikes")
    counts = counted(graph, np.ones((1, 1, 1, 1), np.uint8))
    onto = operations(graph, counts, None)["e"]
    assert onto.ravel().tolist() == [3, 2, 0]
    assert per_core(spread(graph, (3, 1, 1)), graph, {"out": onto}) == [3, 2, 0]


def test_without_comparison() -> None:
    graph = chain()
    found = backend.simulate(graph, spread(graph), images(graph, 2), compare=False)
    assert found.mismatches is None
    assert found.as_row()["state_mismatches"] is None
    assert [x.mismatches for x in found.layers] == [None] * 3


def test_two_workers_give_what_one_gives() -> None:
    graph, labels = chain(), np.arange(11) % 5
    values = images(graph, 11, seed=3)
    one, two = (
        backend.simulate(
            graph, spread(graph), values, labels, batch=3, workers=n, timeout_s=TIMEOUT_S
        )
        for n in (1, 2)
    )
    rows = [{**found.as_row(), "cpu_ms_per_step": 0} for found in (one, two)]
    assert rows[0] == rows[1]
    assert (one.predictions == two.predictions).all()
    assert two.mismatches == 0


def killed() -> list[int]:
    os.kill(os.getpid(), signal.SIGKILL)
    return []


def stopped() -> list[int]:
    os.kill(os.getpid(), signal.SIGSTOP)
    return []


def broken() -> list[int]:
    raise ZeroDivisionError


def wrong() -> list[int]:
    raise InputError("a worker's own complaint")


@pytest.mark.parametrize(
    ("job", "error", "message"),
    [
        (killed, RunError, "worker 1 was killed in the midst of its work; .* fewer workers"),
        (broken, RunError, "a worker failed:\n.*ZeroDivisionError"),
        (wrong, InputError, "a worker's own complaint"),
    ],
)
def test_a_worker_that_ends_badly(job: Any, error: type[Exception], message: str) -> None:
    start = time.monotonic()
    with pytest.raises(error, match=f"(?s){message}"):
        list(side_by_side([lambda: [1, 2], job], TIMEOUT_S))
    assert time.monotonic() - start < LIMIT_S
    assert psutil.Process().children() == []


def test_a_worker_that_is_stopped() -> None:
    """One that is merely slow goes on: it says nothing for four times as long."""

    def slow() -> list[int]:
        time.sleep(2.0)
        return [1]

    with pytest.raises(RunError, match=r"worker 1 is stopped and gave no result in 0.5 seconds"):
        list(side_by_side([slow, stopped], 0.5))
    assert psutil.Process().children() == []
    assert list(side_by_side([slow, slow], 0.5)) == [1, 1]


def test_ctrl_c_while_workers_are_forked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pressed after the fork, before the child's number is known: that child must not be lost."""
    fork = os.fork

    def pressed() -> int:
        pid = fork()
        if pid:
            os.kill(os.getpid(), signal.SIGINT)
        return pid

    monkeypatch.setattr(os, "fork", pressed)
    with pytest.raises(KeyboardInterrupt):
        list(side_by_side([lambda: iter(lambda: time.sleep(1), 0)] * 2, TIMEOUT_S))
    assert psutil.Process().children() == []


def test_a_lava_process_that_fails_in_a_worker() -> None:
    graph = chain()
    values = images(graph, 400)
    with pytest.raises(RunError, match="no result in the time allowed"):
        backend.simulate(graph, spread(graph), values, batch=1, workers=2, timeout_s=1e-9)


class Stopped(Exception):
    """Stands for Ctrl-C."""


def test_a_second_call_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stopped after two of four batches, the second call runs two, and the sums are the same."""
    graph, labels = dag(), np.arange(7) % 5
    values = images(graph, 7, seed=1)
    keep = tmp_path / "kept"

    def run(**more: Any) -> backend.Simulation:
        return backend.simulate(
            graph, None, values, labels, backend="reference", batch=2, keep=keep, **more
        )

    def stop(stage: str, done: int, total: int, note: str = "") -> None:
        if done == 4:
            raise Stopped

    with pytest.raises(Stopped):
        run(on_progress=stop)
    files = sorted(p.name for p in keep.iterdir())
    assert files == ["batch-000000.npz", "batch-000001.npz", "run.lock", "simulation.json"]
    ran: list[int] = []
    real = Kept.save
    monkeypatch.setattr(
        Kept, "save", lambda self, n, counts: (ran.append(n), real(self, n, counts))[1]
    )
    found = run()
    assert ran == [2, 3]
    whole = backend.simulate(graph, None, values, labels, backend="reference", batch=2)
    rows = [{**x.as_row(), "cpu_ms_per_step": 0} for x in (found, whole)]
    assert rows[0] == rows[1]
    files = sorted(p.name for p in keep.iterdir())
    assert files == ["result.json", "run.lock", "simulation.json", "total.npz"]
    assert json.loads((keep / "result.json").read_text()) == found.as_row()
    (keep / "result.json").unlink()  # as if killed before it was written
    (keep / "batch-000001.npz").touch()
    notes: list[str] = []
    again = run(on_progress=lambda s, n, of, note="": notes.append(note))
    assert again.as_row() == found.as_row()
    assert ran == [2, 3]
    assert notes[-1] == f"nothing ran, {keep} holds the result"
    assert json.loads((keep / "result.json").read_text()) == found.as_row()
    assert not list(keep.glob("batch-*.npz"))


def test_a_folder_of_another_simulation(tmp_path: Path) -> None:
    graph = chain()
    values = images(graph, 2)
    about = kept_module.identity(graph, None, values, batch=1)
    with Kept.locked(tmp_path, about):
        pass
    with Kept.locked(tmp_path, about):
        with pytest.raises(InputError, match="another process works on this simulation"):
            with Kept.locked(tmp_path, about):
                pass
    other = kept_module.identity(graph, spread(graph), values, batch=1)
    with pytest.raises(InputError, match="holds batches of another simulation"):
        with Kept.locked(tmp_path, other):
            pass


def test_files_of_somebody_else_are_left_alone(tmp_path: Path) -> None:
    movie = tmp_path / "sub" / "movie.mkv.part"
    movie.parent.mkdir()
    movie.touch()
    with pytest.raises(InputError, match="is not empty and not a simulation folder; name another"):
        with Kept.locked(tmp_path, {"about": 1}):
            pass
    assert [p for p in tmp_path.rglob("*") if p.is_file()] == [movie]


def test_of_a_simulations_folder_what_it_made_itself_is_removed(tmp_path: Path) -> None:
    with Kept.locked(tmp_path, {"about": 1}) as kept:
        kept.save(0, Counts(predictions=np.arange(3)))
    half = tmp_path / "batch-000001.npz.123.part"
    others = [tmp_path / name for name in ("movie.mkv.part", "x.1.part.txt", "batch-mine.npz")]
    for path in (half, *others):
        path.touch()
    (tmp_path / "x.7.part").mkdir()
    with Kept.locked(tmp_path, {"about": 1}) as kept:
        kept.finish(Counts(predictions=np.arange(3)), {}, batches=2)
    own = {"result.json", "run.lock", "simulation.json", "total.npz"}
    assert {p.name for p in tmp_path.iterdir()} == own | {"x.7.part"} | {p.name for p in others}


def test_damaged_files_and_a_file_in_the_way(tmp_path: Path) -> None:
    path = tmp_path / "batch-000003.npz"
    with Kept.locked(tmp_path, {"about": 1}) as kept:
        kept.save(3, Counts(predictions=np.arange(999)))
        whole = path.read_bytes()
        at = len(whole) // 2
        for found, content in (
            ("is empty", b""),
            ("holds text", b"no zip"),
            ("is damaged or cut short", whole[:at]),
            ("is damaged or cut short", whole[:at] + b"????" + whole[at + 4 :]),
        ):
            path.write_bytes(content)
            with pytest.raises(InputError, match=rf"{path.name}: {found}.*; delete it, and the"):
                kept.load(3)
        np.savez(path.open("wb"), other=np.zeros(3))
        with pytest.raises(InputError, match=r"holds arrays, but no counts; .*; delete it"):
            kept.load(3)
    (tmp_path / "simulation.json").write_text('{"abo')
    with pytest.raises(InputError, match=r"simulation.json: is damaged or cut short: no JSON; .*"):
        with Kept.locked(tmp_path, {"about": 1}):
            pass
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(InputError, match=r"file: cannot be written \(File exists\)"):
        with Kept.locked(file, {}):
            pass


SCRIPT = """
    import sys
    sys.path.insert(0, {tests!r})
    from pathlib import Path
    from backend_networks import chain, images, spread
    from neurocomp import backend
    graph = chain()
    backend.simulate(graph, spread(graph), images(graph, 4000), batch=2, workers=2,
        keep=Path({keep!r}), on_progress=lambda *a, **k: print(a[1], flush=True))
"""


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGKILL])
def test_an_end_in_the_midst_leaves_batches_and_no_process(
    tmp_path: Path, ending: signal.Signals
) -> None:
    source = textwrap.dedent(SCRIPT).format(tests=str(Path(__file__).parent), keep=str(tmp_path))
    with subprocess.Popen(
        [sys.executable, "-c", source], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdout is not None
        while int(process.stdout.readline()) < 12:
            pass
        family = psutil.Process(process.pid).children(recursive=True)
        process.send_signal(ending)
        process.wait(timeout=LIMIT_S)
        _, alive = psutil.wait_procs(family, timeout=LIMIT_S)
        assert [p for p in alive if p.is_running() and p.status() != "zombie"] == []
    assert len(list(tmp_path.glob("batch-*.npz"))) >= 5  # all but the one that was being written


def test_every_batch_is_shown(tmp_path: Path) -> None:
    graph, shown = chain(), []
    values = images(graph, 5)
    backend.simulate(graph, None, values, backend="reference", batch=2, on_batch=shown.append)
    assert [len(x.values) for x in shown] == [2, 2, 1]
    for bad in ({"workers": 2}, {"keep": tmp_path}):
        with pytest.raises(
            InputError, match="on_batch is for one worker, and for runs that keep nothing"
        ):
            backend.simulate(graph, None, values, backend="reference", on_batch=print, **bad)


def test_a_mapping_with_a_lost_route_sends_less() -> None:
    graph = chain()
    mapping = spread(graph)
    fired = {p.name: np.ones(p.shape, np.int64) for p in graph.populations}
    lost = replace(mapping, routes=tuple(r for r in mapping.routes if r.source != 0))
    assert messages(graph, lost, fired)["a"] < messages(graph, mapping, fired)["a"]


def test_as_many_samples_as_there_is_room_for() -> None:
    """Two steps: 3 inputs, a byte each in three places; 5 spikes, a byte and twice a bit each."""
    populations = (
        Population("in", (3, 1, 1), Input()),
        Population("out", (5, 1, 1), LoihiLif(vth=9)),
    )
    e = Projection("e", "in", "out", Dense(), 8, np.ones((5, 3), np.int64))
    graph = Graph("room", populations, (e,), "out", timesteps=2, readout="spikes")
    assert sample_bytes(graph, 2, UNWATCHED) == 3 * 2 * 3 + 5 * 2 + 2 * 1 == 30
    watch = Watch(("out",), every_step=True)  # u and v: int64, and an int32 twice on its way
    assert sample_bytes(graph, 2, watch) == 30 + 2 * 5 * 2 * (8 + 2 * 4)
    assert at_once(graph, 2, UNWATCHED, room=119) == 3
    assert at_once(graph, 2, UNWATCHED, room=29) == 1
    assert at_once(graph, 2, UNWATCHED) == 64


def test_a_batch_is_chosen_and_compared_by_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Room for two samples at once, and the reference runs them one by one."""
    graph, runs = running(), []
    values = images(graph, 5, steps=4)
    each = sample_bytes(graph, 4, UNWATCHED)
    chosen = partial(at_once, room=2 * each)
    monkeypatch.setattr("neurocomp.backend.simulation.at_once", chosen)
    monkeypatch.setattr("neurocomp.backend.counts.COMPARED_ROOM", each)
    real = reference.run

    def wrong(graph: Graph, values: np.ndarray, watch: Watch = UNWATCHED) -> reference.Trace:
        runs.append(len(values))
        trace = real(graph, values, watch)
        trace.spikes["a"][:, 0, :3] ^= True
        return trace

    monkeypatch.setattr(reference, "run", wrong)
    found = backend.simulate(graph, spread(graph, (1, 1, 1)), values, timeout_s=TIMEOUT_S)
    assert (found.batch, runs) == (2, [1] * 5)
    assert [x.mismatches for x in found.layers] == [15, 0]
    assert found.mismatches == 15


@pytest.mark.parametrize(("given", "found"), [(1, "fewer"), (3, "more")])
def test_a_backend_with_another_number_of_batches(
    given: int, found: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    graph = chain()
    values = images(graph, 2)

    def other(graph: Graph, batches: Any, setting: Any) -> Any:
        return REFERENCE(graph, [values[:1]] * given, setting)

    monkeypatch.setitem(BACKENDS, "other", other)
    with pytest.raises(RunError, match=f"chain: backend 'other' gave {found} results"):
        backend.simulate(graph, None, values, backend="other", batch=1, compare=False)
