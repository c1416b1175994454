"""A controller: asks a processor over HTTP, checks what it signed, and takes its callbacks."""

from __future__ import annotations

import base64
import json
import time
import urllib.error
import urllib.request
import uuid
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import Message
from functools import cached_property
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, NamedTuple

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256

PATIENCE = 120.0  # seconds
DOMAIN, SIGNATURE = "X-OpenDSR-Processor-Domain", "X-OpenDSR-Signature"


class Answer(NamedTuple):
    status: int
    body: bytes
    headers: Message

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Controller:
    """Of the processor at `url`, which ends with the version. `roots` are PEM certificates that it trusts."""

    url: str
    authorization: str = ""
    roots: bytes = b""
    identity: Mapping[str, str] = field(default_factory=dict)
    patience: float = PATIENCE

    def ask(self, method: str, path: str, body: Any = None, *, anonymous: bool = False, **headers: str) -> Answer:
        """A body that is not bytes is sent as JSON; names of headers are written with _."""
        raw = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        sent = {"content-type": "application/json", "accept": "application/json"}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        if self.authorization and not anonymous:
            sent["authorization"] = self.authorization
        request = urllib.request.Request(self.url + path, raw, sent, method=method)
        try:
            with urllib.request.urlopen(request, timeout=self.patience) as response:
                return Answer(response.status, response.read(), response.headers)
        except urllib.error.HTTPError as error:
            return Answer(error.code, error.read(), error.headers)

    def request(self, **more: Any) -> dict[str, Any]:
        """What may be sent; None takes a member away."""
        found = {
            "regulation": "gdpr",
            "subject_request_id": str(uuid.uuid4()),
            "subject_request_type": "erasure",
            "submitted_time": "2026-10-02T15:00:00Z",
            "subject_identities": [dict(self.identity)],
            "api_version": "2.0",
        }
        return {name: value for name, value in (found | more).items() if value is not None}

    def send(self, **more: Any) -> Answer:
        return self.ask("POST", "/requests", self.request(**more))

    def status(self, id: str) -> Any:
        return self.ask("GET", f"/requests/{id}").json

    def until(self, id: str, status: str) -> Any:
        return waited(
            lambda: found if (found := self.status(id)).get("request_status") == status else None, self.patience
        )

    @cached_property
    def discovery(self) -> Any:
        return self.ask("GET", "/discovery").json

    @cached_property
    def certificates(self) -> list[x509.Certificate]:
        with urllib.request.urlopen(self.discovery["processor_certificate"], timeout=self.patience) as response:
            return x509.load_pem_x509_certificates(response.read())

    def signed(self, body: bytes, signature: str | None) -> bool:
        """By the certificate of the processor."""
        key = self.certificates[0].public_key()
        try:
            found = base64.b64decode(signature or "", validate=True)
            if isinstance(key, rsa.RSAPublicKey):
                key.verify(found, body, padding.PKCS1v15(), SHA256())
            else:
                assert isinstance(key, ec.EllipticCurvePublicKey)
                key.verify(found, body, ec.ECDSA(SHA256()))
        except (InvalidSignature, ValueError):
            return False
        return True

    def check(self, answer: Answer, status: int) -> Any:
        """Its status, and that it is signed; the body."""
        assert answer.status == status, answer.body
        assert answer.headers[DOMAIN]
        assert self.signed(answer.body, answer.headers[SIGNATURE])
        return answer.json

    def refused(self, answer: Answer, *secrets: str) -> str:
        """An error as the specification wants it, which names nobody; its reason."""
        error = self.check(answer, 400)["error"]
        for name, value in (("Cache-Control", "no-store"), ("Pragma", "no-cache")):  # which the example misspells
            assert value in answer.headers.get(name, "").replace(" ", "-").lower()
        assert error["code"] == 400 and type(error["code"]) is int
        assert isinstance(error.get("message", ""), str)
        for detail in error.get("errors", ()):
            assert set(detail) <= {"domain", "reason", "message"}
        for secret in (*secrets, *filter(None, [self.identity.get("identity_value"), self.authorization])):
            assert secret not in answer.body.decode()
        details = error.get("errors") or [{}]
        return str(details[0].get("reason", ""))


@dataclass
class Receiver:
    """Takes callbacks; how the next are answered is in `next`, then by 202."""

    url: str = ""
    got: list[tuple[str, bytes, Message]] = field(default_factory=list)
    next: deque[int] = field(default_factory=deque)
    answer: int = 202

    def of(self, id: str, path: str = "") -> list[Any]:
        """The bodies about one request, in the order in which they came."""
        bodies = [json.loads(body) for where, body, _ in self.got if not path or where == path]
        return [body for body in bodies if body["subject_request_id"] == id]

    def told(self, id: str, path: str = "") -> list[str]:
        """Each status once."""
        return list(dict.fromkeys(body["request_status"] for body in self.of(id, path)))


@contextmanager
def receiving(port: int = 0, public: str = "") -> Iterator[Receiver]:
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            receiver.got.append((self.path, body, self.headers))
            self.send_response(receiver.next.popleft() if receiver.next else receiver.answer)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    receiver.url = public or f"http://127.0.0.1:{server.server_address[1]}"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def waited(look: Callable[[], Any], patience: float = PATIENCE) -> Any:
    deadline = time.monotonic() + patience
    while not (found := look()):
        assert time.monotonic() < deadline, "it did not come"
        time.sleep(0.02)
    return found
