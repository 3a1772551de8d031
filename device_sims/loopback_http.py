"""What the doubles of outside services answer HTTP with: small, silent, and quick on a machine without network."""

from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer


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
