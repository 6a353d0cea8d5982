"""Torch on one thread and waiting threads asleep: tests run side by side on few cores.

Ctrl-C works as in a terminal, also where the tests run in the background, which ignores it.
"""

from __future__ import annotations

import os
import signal

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("OMP_NUM_THREADS", "1")
signal.signal(signal.SIGINT, signal.default_int_handler)
