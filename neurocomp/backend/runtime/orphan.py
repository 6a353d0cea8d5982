"""A process that ends when the one that made it is gone, even if that was killed."""

from __future__ import annotations

import os
import threading
import time

WATCH_S = 0.5  # how often a child looks whether its parent lives


def die_with(parent: int) -> None:
    """Watch the parent from a thread, and end this process when it is gone."""
    threading.Thread(target=_watch, args=(parent,), daemon=True).start()


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(WATCH_S)
    os._exit(1)
