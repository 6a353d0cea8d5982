"""Starts a network of Lava processes so that it can neither hang nor leave anything behind."""

from __future__ import annotations

import contextlib
import logging
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import TypeAlias

import numpy as np
from lava.magma.compiler.executable import Executable
from lava.magma.core.model.py.ports import PyInPort, PyOutPort
from lava.magma.core.model.py.type import LavaPyType
from lava.magma.core.process.message_interface_enum import ActorType
from lava.magma.core.process.process import AbstractProcess, ProcessServer
from lava.magma.core.run_conditions import RunContinuous
from lava.magma.core.run_configs import Loihi2SimCfg
from lava.magma.runtime.runtime import Runtime

from neurocomp.backend.runtime.actors import Actors
from neurocomp.backend.runtime.child import require_parenthood
from neurocomp.errors import RunError
from neurocomp.interrupt import held_back, not_lost

Models: TypeAlias = dict[AbstractProcess, type]

CHANNEL_SLOTS = 2  # messages that a channel holds; all processes keep step, so few are enough
_BUILDING = threading.Lock()  # Lava's compiler changes loggers and a list of all processes


def _complete(process: AbstractProcess, model: type) -> type:
    """A model class with all the ports that its process has; those not declared carry bytes.

    Lava wants every port as a class attribute of the model, but a chip has as many as neighbours.
    """
    kinds = {p.name: PyInPort.VEC_DENSE for p in process.in_ports}
    kinds |= {p.name: PyOutPort.VEC_DENSE for p in process.out_ports}
    missing = {
        name: LavaPyType(k, np.uint8) for name, k in kinds.items() if not hasattr(model, name)
    }
    return type(model.__name__, (model,), missing) if missing else model


class _Runtime(Runtime):  # type: ignore[misc]
    """Lava's runtime with our actors: it never waits for a child."""

    def __init__(self, executable: Executable, *, lean: bool) -> None:
        super().__init__(executable, ActorType.MultiProcessing, loglevel=logging.ERROR)
        self.actors = Actors(lean=lean)
        self._messaging_infrastructure = self.actors

    def build(self, after_each: Callable[[], None]) -> None:
        """Build the channels and fork the children; returns before they are ready."""
        self._build_watchdog_manager()
        self._build_channels()
        self._build_sync_channels()
        for process, builder in self._executable.proc_builders.items():
            self.actors.build_actor(process.name, builder)
            after_each()
        for builder in self._executable.runtime_service_builders.values():
            self.actors.build_actor("runtime service", builder)
        self._start_ports()
        self._is_initialized = True

    def stop(self) -> None:
        """End everything at once."""
        self._is_started = self._is_running = False
        self.actors.stop()
        self.join()


@contextlib.contextmanager
def launched(build: Callable[[], Models], timeout_s: float, *, lean: bool) -> Iterator[Actors]:
    """Run connected Lava processes, step after step, for as long as the context lasts.

    Args:
        build: makes the network: its processes, connected to each other, with their models.
        timeout_s: the longest that the children may take to build their models.
        lean: all of these are our own and wait with a `LeanSelector`.

    Raises:
        RunError: no memory or processes are left; this process may have no children; a child
            failed to build its model, or took too long.
    """
    require_parenthood()
    made: list[AbstractProcess] = []
    runtime = None
    try:
        with _BUILDING, _undisturbed(), _noted(made):
            with not_lost():
                runtime = _compiled(build(), lean)
            with held_back() as let_through:
                _fork(runtime, let_through)
        runtime.actors.await_ready(time.monotonic() + timeout_s)
        runtime.start(RunContinuous())
        yield runtime.actors
    finally:
        if runtime is not None:
            runtime.stop()
        with _BUILDING:  # Lava keeps every process ever made, with all its arrays
            known: list[AbstractProcess] = ProcessServer().processes
            known[:] = [p for p in known if p not in made]


def _compiled(models: Models, lean: bool) -> _Runtime:
    """A runtime for a network; where a process has no model given, Lava searches for one."""
    chosen = {process: _complete(process, model) for process, model in models.items()}
    config = Loihi2SimCfg(select_tag="fixed_pt", exception_proc_model_map=chosen)
    root = next(iter(models))
    return _Runtime(root.compile(config, {"pypy_channel_size": CHANNEL_SLOTS}), lean=lean)


def _fork(runtime: _Runtime, after_each: Callable[[], None]) -> None:
    try:
        runtime.build(after_each)
    except OSError as fault:
        raise RunError(
            f"the system has no room for another run: {fault}; make room in /dev/shm, end other "
            "programs, or run smaller batches"
        ) from fault


@contextlib.contextmanager
def _noted(made: list[AbstractProcess]) -> Iterator[None]:
    """Note all processes that are made."""
    known: list[AbstractProcess] = ProcessServer().processes
    before = len(known)
    try:
        yield
    finally:
        made += known[before:]


@contextlib.contextmanager
def _undisturbed() -> Iterator[None]:
    """Keep Lava's compiler from printing to stdout and from adding handlers to the loggers."""
    loggers = [logging.getLogger(), logging.getLogger("lava.magma.compiler.compiler")]
    handlers = [list(logger.handlers) for logger in loggers]
    try:
        with contextlib.redirect_stdout(sys.stderr):
            yield
    finally:
        for logger, before in zip(loggers, handlers, strict=True):
            logger.handlers[:] = before
