"""What can end a training, as errors that name the last good checkpoint."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import torch

from neurocomp.errors import RunError
from neurocomp.train.checkpoints import last_good

NO_MEMORY = "can't allocate memory"  # torch's words on a CPU
GPU_FAILS = ("CUDA error", "CUBLAS_STATUS", "cuDNN error", "NCCL error")


@contextlib.contextmanager
def failures_named(folder: Path, batch: int) -> Iterator[None]:
    """A loss that is not finite, too little memory, a GPU that fails and Ctrl-C become `RunError`.

    Lightning turns an interrupt into SystemExit and leaves SIGINT ignored; both are mended.
    """
    main = threading.current_thread() is threading.main_thread()
    handler = signal.getsignal(signal.SIGINT)
    try:
        yield
    except FloatingPointError as fault:
        raise RunError(f"{fault}; {last_good(folder)}") from fault
    except (RuntimeError, MemoryError) as fault:
        words = _device_failure(fault, batch)
        if words is None:
            raise
        raise RunError(f"{words}; {last_good(folder)}") from fault
    except SystemExit:
        raise RunError(
            f"training was interrupted; started again it goes on; {last_good(folder)}"
        ) from None
    finally:
        if main:
            signal.signal(signal.SIGINT, handler)


def _device_failure(fault: RuntimeError | MemoryError, batch: int) -> str | None:
    """What an error says about the device, None where it says nothing."""
    text = str(fault)
    if isinstance(fault, (MemoryError, torch.cuda.OutOfMemoryError)) or NO_MEMORY in text:
        return f"the device ran out of memory with batches of {batch}; lower the batch"
    if any(word in text for word in GPU_FAILS):
        first = text.splitlines()[0]
        return f"the GPU failed ({first}); see whether it works, and start again"
    return None
