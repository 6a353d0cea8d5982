"""Archives unpacked as a whole or not at all."""

from __future__ import annotations

import gzip
import os
import shutil
import tarfile
import zlib
from pathlib import Path

from neurocomp.atomic import PARTIAL, writing
from neurocomp.errors import InputError

_FAULTS = (OSError, EOFError, tarfile.TarError, zlib.error)


def unpack_folder(archive: Path, target: Path, inner: str = "") -> None:
    """Unpack an archive, or one folder of it, to a folder that is not there yet.

    Raises:
        InputError: no room, no permission, a damaged archive, or something is there.
    """
    unpacked = target.with_name(f"{target.name}.{os.getpid()}{PARTIAL}")
    try:
        shutil.unpack_archive(archive, unpacked)
        os.replace(unpacked / inner, target)
    except _FAULTS as fault:
        raise _fault(archive, target, fault) from fault
    finally:
        shutil.rmtree(unpacked, ignore_errors=True)


def unpack_file(archive: Path, target: Path) -> None:
    """Unpack a file that gzip packed; raises as `unpack_folder`."""
    try:
        with gzip.open(archive) as packed, writing(target) as unpacked:
            shutil.copyfileobj(packed, unpacked)
    except _FAULTS as fault:
        raise _fault(archive, target, fault) from fault


def _fault(archive: Path, target: Path, fault: Exception) -> InputError:
    return InputError(
        f"{archive}: cannot be unpacked to {target} ({fault}); make room there, remove what is "
        "there, or name another folder with --data-dir"
    )
