"""What the doubles of outside services answer HTTP with: small, silent, and quick on a machine without network."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from types import TracebackType
from typing import Self

_STOP_POLL_S = 0.02


class LoopbackServer(ThreadingHTTPServer):
    """Binds without asking the name service who we are: on a machine without network that takes seconds."""

    daemon_threads = True

    def server_bind(self) -> None:
        TCPServer.server_bind(self)
        host, port = self.server_address[:2]
        self.server_name, self.server_port = str(host), int(port)


class SilentHandler(BaseHTTPRequestHandler):
    """Gives every request to `serve`; says nothing on stderr: a double keeps what it took where it can be read."""

    protocol_version = "HTTP/1.1"
    #: seconds that an idle connection is kept
    timeout = 60
    #: headers and body leave together: two small writes would wait for each other's acknowledgement
    wbufsize = -1
    disable_nagle_algorithm = True

    def serve(self) -> None:
        """Answer the request at hand."""
        raise NotImplementedError

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""

    def do_GET(self) -> None:
        self.serve()

    def do_POST(self) -> None:
        self.serve()

    def do_DELETE(self) -> None:
        self.serve()

    def do_PUT(self) -> None:
        self.serve()

    def do_HEAD(self) -> None:
        self.serve()


class LoopbackDouble:
    """A double's server on a thread of its own, from `start` to `stop` (or in a `with` block)."""

    def __init__(self, server: LoopbackServer, name: str) -> None:
        self._server = server
        self._thread = threading.Thread(target=server.serve_forever, args=(_STOP_POLL_S,), name=name, daemon=True)

    @property
    def url(self) -> str:
        """Base address, without a slash at the end."""
        host, port = self._server.server_address[:2]
        return f"http://{host if isinstance(host, str) else host.decode()}:{port}"

    def start(self) -> Self:
        """Begin to answer; returns at once."""
        self._thread.start()
        return self

    def stop(self) -> None:
        """Stop answering and free the port."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()
