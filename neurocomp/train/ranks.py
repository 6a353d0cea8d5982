"""Several processes that train one network together, as torchrun starts them.

All of them compute the same but for the batches, which they share; only the first one writes files
and speaks.
"""

from __future__ import annotations

import os


def world() -> int:
    """How many processes train together; 1 where torchrun did not start this one."""
    return int(os.environ["WORLD_SIZE"]) if _by_torchrun() else 1


def rank() -> int:
    """Number of this process among them; the first is 0."""
    return int(os.environ["RANK"]) if _by_torchrun() else 0


def on_this_machine() -> int:
    """How many of them run on this machine."""
    return int(os.environ["LOCAL_WORLD_SIZE"]) if _by_torchrun() else 1


def _by_torchrun() -> bool:
    return "TORCHELASTIC_RUN_ID" in os.environ
