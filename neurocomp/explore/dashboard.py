"""Optuna's dashboard on the evaluations of a search."""

from __future__ import annotations

import importlib
from pathlib import Path

from neurocomp.errors import InputError
from neurocomp.explore.storage import opened


def serve(storage: Path | str, host: str, port: int) -> None:
    """Show a journal or a database in a browser until the process is interrupted.

    Raises:
        InputError: optuna-dashboard is not installed, the storage cannot be used, or nothing can
            listen at the port.
    """
    try:
        dashboard = importlib.import_module("optuna_dashboard")
    except ImportError as fault:
        raise InputError(
            f"optuna-dashboard is not installed ({fault}); run `pip install neurocomp[dashboard]`"
        ) from fault
    place = opened(storage)
    try:
        dashboard.run_server(place, host=host, port=port)
    except OSError as fault:
        raise InputError(
            f"--port {port}: nothing can listen there ({fault.strerror}); choose another one"
        ) from fault
