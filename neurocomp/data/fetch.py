"""One file from the network: verified by its checksum, gone on with where a download broke off.

torchvision's, torch's and pooch's downloads begin again from the first byte, so the transport is
our own; addresses and checksums are the libraries'.
"""

from __future__ import annotations

import fcntl
import hashlib
import http.client
import os
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from neurocomp.errors import InputError
from neurocomp.progress import Progress

PARTIAL = ".part"
BLOCK = 1 << 18  # bytes read at a time
TIMEOUT_S = 30.0
HASHES = {32: "md5", 64: "sha256"}  # by the hexadecimal digits of a checksum
_BEYOND_END = 416  # HTTP's answer to a range that starts where the file ends


@dataclass(frozen=True, slots=True)
class Remote:
    """A file on the network.

    Attributes:
        dataset: that it belongs to, for messages.
        name: of the file where it is kept.
        urls: where it can be had, tried in this order.
        checksum: MD5 or SHA-256 in hexadecimal digits.
    """

    dataset: str
    name: str
    urls: tuple[str, ...]
    checksum: str


def fetch(remote: Remote, folder: Path, progress: Progress) -> Path:
    """A verified file in a folder, downloaded into it where it is not there.

    A download that breaks off leaves ``NAME.part``, and the next one asks for the rest.

    Raises:
        InputError: no address answers, the file is not the one that was expected, the folder
            cannot be written, or another process is at it; what is to be done by hand is said.
    """
    path = folder / remote.name
    partial = Path(f"{path}{PARTIAL}")
    try:
        if path.exists():
            return _verified(path, remote)
        folder.mkdir(parents=True, exist_ok=True)
        with partial.open("ab") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            try:
                _download(remote, file, path, progress)
            finally:
                if not file.tell():
                    partial.unlink()
            file.flush()
            os.fsync(file.fileno())
            os.replace(_verified(partial, remote), path)
    except BlockingIOError:
        raise InputError(f"{path}: another process is downloading it; wait for it") from None
    except OSError as fault:
        raise InputError(
            f"{path}: cannot be written ({fault.strerror}); make room there or name another "
            "folder with --data-dir"
        ) from fault
    return path


def _download(remote: Remote, file: BinaryIO, path: Path, progress: Progress) -> None:
    """Append what is missing; an address that gave something is asked again."""
    reasons = []
    for url in remote.urls:
        while True:
            before = file.tell()
            reason = _append(url, file, remote.name, progress)
            if reason is None:
                return
            if file.tell() <= before:
                break
        reasons.append(f"{url}: {reason}")
    kept = f"; {file.tell():,} bytes are kept, the same call goes on" if file.tell() else ""
    raise InputError(
        f"data set '{remote.dataset}' is not in {path.parent} and cannot be downloaded "
        f"({'; '.join(reasons)}{kept}); fetch {remote.name} where there is a network "
        f"and copy it to {path}, or use 'digits', which is embedded, or folder:PATH"
    )


def _append(url: str, file: BinaryIO, name: str, progress: Progress) -> str | None:
    """One request for what is missing; why it ended too early, or None where it did not."""
    start = file.tell()
    request = urllib.request.Request(url, headers={"Range": f"bytes={start}-"})
    try:
        with _opened(request) as answer:
            if answer.status != http.client.PARTIAL_CONTENT:  # the whole file again
                start = file.seek(0)
                file.truncate()
            length = answer.headers.get("Content-Length")
            total = None if length is None else start + int(length)
            while block := _read(answer):
                file.write(block)
                done = file.tell()
                progress("download", done >> 20, max(total or 0, done) >> 20, f"MiB of {name}")
    except urllib.error.HTTPError as fault:
        return None if start and fault.code == _BEYOND_END else f"{fault.code} {fault.reason}"
    except _Broken as fault:
        return str(fault)
    if total is not None and file.tell() < total:
        return f"broke off after {file.tell():,} of {total:,} bytes"
    return None


class _Broken(Exception):
    """The network failed: told apart from a file that cannot be written."""


def _opened(request: urllib.request.Request) -> http.client.HTTPResponse:
    try:
        answer: http.client.HTTPResponse = urllib.request.urlopen(request, timeout=TIMEOUT_S)
    except urllib.error.HTTPError:
        raise
    except (OSError, http.client.HTTPException) as fault:
        raise _Broken(getattr(fault, "reason", None) or fault) from fault
    return answer


def _read(answer: http.client.HTTPResponse) -> bytes:
    try:
        return answer.read(BLOCK)
    except (OSError, http.client.HTTPException) as fault:
        raise _Broken(f"broke off: {fault}") from fault


def _verified(path: Path, remote: Remote) -> Path:
    """The path, if the file there has the checksum; a partial one that has not is removed."""
    kind = HASHES[len(remote.checksum)]
    digest = hashlib.new(kind, usedforsecurity=False)
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            digest.update(block)
    if digest.hexdigest() == remote.checksum:
        return path
    if path.suffix == PARTIAL:
        path.unlink()
        what, remedy = "was downloaded, but", "start again, or copy it there yourself"
    else:
        what, remedy = "is there, but", "remove it to download it, or copy the right one there"
    raise InputError(
        f"{path.with_name(remote.name)}: {what} its {kind} is {digest.hexdigest()}, not "
        f"{remote.checksum}; {remedy}"
    )
