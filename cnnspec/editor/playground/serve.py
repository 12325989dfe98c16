"""Serves the playground to the browser of this machine: 127.0.0.1 alone, with a token, and nothing is written."""

from __future__ import annotations

import hmac
import json
import secrets
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from cnnspec.editor.playground.answers import QUESTIONS, answer
from cnnspec.limits import LIMITS
from cnnspec.resources import resource

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

TYPES = {".html": "text/html", ".js": "text/javascript", ".css": "text/css"}
FILES = ("playground.html", "playground.js", "playground.css", "codemirror.js")
POLICY = (
    "default-src 'none'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; connect-src 'self'; "
    "img-src data: blob:; frame-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)


class Playground(ThreadingHTTPServer):
    """A server on a free port, or on the one that is given. `address` is what to open."""

    daemon_threads = True

    def __init__(self, text: str, path: str, port: int = 0) -> None:
        self.text, self.path = text, path
        self.token = secrets.token_urlsafe(16)
        super().__init__(("127.0.0.1", port), Handler)
        self.hosts = {f"{name}:{self.server_address[1]}" for name in ("127.0.0.1", "local" + "host")}

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A browser that goes away while it is answered is nothing to tell of."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/?token={self.token}"


class Handler(BaseHTTPRequestHandler):
    """Answers one request. What has another host, another origin or no token is refused."""

    server: Playground
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    timeout = 60

    def do_GET(self) -> None:
        path, _, query = self.path.partition("?")
        if not self._is_ours():
            return self._send(403, b"refused", "text/plain")
        if path == "/":
            # The token is given out to who has it alone.
            if not self._has_token(query.removeprefix("token=")):
                return self._send(403, b"open the address that cnnspec playground printed", "text/plain")
            page = filled({"token": self.server.token, "text": self.server.text})
            return self._send(200, page.encode(), TYPES[".html"])
        name = path.removeprefix("/")
        if name in FILES and name != "playground.html":
            return self._send(200, _read(name).encode(), TYPES[name[name.rindex(".") :]])
        return self._send(404, b"nothing here", "text/plain")

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "")
        size = int(length) if length.isdecimal() and len(length) < 10 else -1
        self.close_connection = True
        if not self._is_ours() or not self._has_token(self.headers.get("X-Token", "")):
            return self._send(403, b"refused", "text/plain")
        if not 0 <= size <= 4 * LIMITS.file_bytes:
            return self._send(413, b"too large", "text/plain")
        question = self.path.removeprefix("/")
        if question not in QUESTIONS:
            return self._send(404, b"nothing here", "text/plain")
        try:
            given: Any = json.loads(self.rfile.read(size))
        except (ValueError, RecursionError):
            given = None
        if not isinstance(given, dict):
            return self._send(400, b"no JSON object", "text/plain")
        self.close_connection = False
        try:
            found = json.dumps(answer(question, given, self.server.path))
        except Exception as error:
            told = f"this is a bug in cnnspec, sorry: {type(error).__name__}: {error}"
            return self._send(500, told.encode(), "text/plain")
        return self._send(200, found.encode(), "application/json")

    def _is_ours(self) -> bool:
        origin = self.headers.get("Origin")
        host = self.headers.get("Host", "")
        return host in self.server.hosts and (origin is None or origin == f"http://{host}")

    def _has_token(self, given: str) -> bool:
        return hmac.compare_digest(given.encode(), self.server.token.encode())

    def _send(self, code: int, body: bytes, kind: str) -> None:
        self.send_response(code)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Security-Policy", POLICY)
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Referrer-Policy", "no-referrer")
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: object) -> None:
        """Nothing is told of single requests."""


def filled(start: dict[str, str]) -> str:
    """The page with what it begins with: the text, and the token of the server or the name of the worker that answers."""
    return _read("playground.html").replace("{{start}}", json.dumps(start).replace("<", "\\u003c"))


def _read(name: str) -> str:
    return resource("editor", "playground", name).read_text(encoding="utf-8")
