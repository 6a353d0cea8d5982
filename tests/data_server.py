"""A server of files on this machine that can break off, refuse ranges, or have nothing."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Served:
    """What the server has, how it behaves, and what it was asked for.

    Attributes:
        files: by path; breaks: after how many bytes of an answer each of the next ones ends.
        ranges: whether a range is honoured.
        asked: the Range header of every request.
    """

    url: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    breaks: list[int] = field(default_factory=list)
    ranges: bool = True
    asked: list[str] = field(default_factory=list)


@contextmanager
def serving() -> Iterator[Served]:
    """A running server on a free port of 127.0.0.1."""
    served = Served()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            wanted = self.headers["Range"]
            served.asked.append(wanted)
            body = served.files.get(self.path)
            if body is None:
                self.send_error(404)
                return
            start = int(wanted.removeprefix("bytes=").removesuffix("-")) if served.ranges else 0
            if start and start >= len(body):
                self.send_error(416)
                return
            self.send_response(206 if served.ranges else 200)
            self.send_header("Content-Length", str(len(body) - start))
            self.end_headers()
            stop = start + served.breaks.pop(0) if served.breaks else len(body)
            self.wfile.write(body[start:stop])

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    served.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield served
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
