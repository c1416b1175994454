"""One message to a webhook: signed as Standard Webhooks says, and sent nowhere else than where it may go.

The specification: standardwebhooks.com, "Standard Webhooks", 1.0. `webhook-id` is the same at each attempt, so that who
receives a message twice takes it once; the HMAC-SHA256 is over the id, the time of the attempt and the body.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.client
import random
import socket
import ssl
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from ipaddress import ip_address
from time import monotonic, time
from urllib.parse import urlsplit

from identity_graph import __version__

LONGEST = 600.0  # seconds between two attempts
PEACE = 3600.0  # that a receiver may ask for


@dataclass(frozen=True, slots=True)
class Sent:
    """What came of an attempt: no trouble, if it arrived. `after`: the receiver wants so many seconds of peace."""

    trouble: str = ""
    after: float = 0.0


def sign(key: bytes, id: str, seconds: int, body: bytes) -> str:
    """
    >>> sign(b"secret", "msg_1", 1767225600, b"{}")
    'v1,QGxpGbjRoL8txXelFWC4IEtME42gS+j6BV6K56kn8oo='
    """
    signed = hmac.digest(key, b"%s.%d.%s" % (id.encode(), seconds, body), hashlib.sha256)
    return f"v1,{base64.b64encode(signed).decode()}"


def send(url: str, key: bytes, id: str, body: bytes, *, seconds: int, timeout: float, private: bool = False) -> Sent:
    """`post` it, signed."""
    signed = {
        "webhook-id": id,
        "webhook-timestamp": str(seconds),
        "webhook-signature": sign(key, id, seconds, body),
    }
    return post(url, body, signed, timeout=timeout, private=private)


def post(
    url: str, body: bytes, signed: Mapping[str, str], *, timeout: float, private: bool = False, local: bool = True
) -> Sent:
    """POST it, with these headers. No redirect is followed, no proxy used, and no answer but its status and Retry-After
    is taken.

    By https to addresses of the internet, or to this machine unless `local` says no; `private`: anywhere, and by http,
    too. The name is resolved once, and what was checked is what is connected to. `timeout` seconds are for all of it.
    """
    headers = {
        "content-type": "application/json",
        "user-agent": f"identity-graph/{__version__}",
        **signed,
        "connection": "close",
    }
    parts = urlsplit(url)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    try:
        with _Line(url, timeout, private, local) as line:
            line.request("POST", target, body, headers)
            return _judged(line.getresponse())  # its body is not read
    except _Refused as error:
        return Sent(str(error))
    except TimeoutError:
        return Sent(f"no answer within {timeout:g} s")
    except ssl.SSLCertVerificationError as error:
        return Sent(f"its certificate is not good: {error.verify_message}")
    except (OSError, http.client.HTTPException) as error:
        return Sent(f"the connection failed: {type(error).__name__}")


def wait_for_next(attempts: int, first: float, sent: Sent) -> float:
    """Seconds after so many failed attempts: `first`, then twice as long, and so on, and as long as was asked for."""
    wait = min(LONGEST, first * 2.0 ** (attempts - 1))
    return max(wait * random.uniform(0.5, 1.0), min(sent.after, PEACE))


class _Refused(Exception):
    """The address may not be called."""


class _Line(http.client.HTTPConnection):
    """A connection to the address that was checked, cut when the time is over, however slowly bytes come."""

    def __init__(self, url: str, timeout: float, private: bool, local: bool) -> None:
        parts = urlsplit(url)
        assert parts.hostname
        self._secure = parts.scheme == "https"
        self.default_port = http.client.HTTPS_PORT if self._secure else http.client.HTTP_PORT
        super().__init__(parts.hostname, parts.port or self.default_port, timeout=timeout)
        self._private = private
        self._local = local
        self._ends = monotonic() + timeout
        self._cut = threading.Timer(timeout, self._end)
        self._cut.daemon = True
        self._late = False

    def __enter__(self) -> _Line:
        self._cut.start()
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        self._cut.cancel()
        self.close()
        if self._late:
            raise TimeoutError

    def connect(self) -> None:
        address = _address(self.host, self.port, self._secure, self._private, self._local)
        self.sock = socket.create_connection((address, self.port), timeout=max(0.001, self._ends - monotonic()))
        if self._secure:
            context = ssl.create_default_context()
            self.sock = context.wrap_socket(self.sock, server_hostname=self.host, do_handshake_on_connect=False)
            self.sock.do_handshake()  # where it can be cut already

    def _end(self) -> None:
        self._late = True
        with suppress(AttributeError, OSError):  # not connected yet, which has a limit of its own, or not any more
            self.sock.shutdown(socket.SHUT_RDWR)


def _address(host: str, port: int, secure: bool, private: bool, local: bool) -> str:
    """The first address of the name, if all of them may be called."""
    found = [str(entry[4][0]) for entry in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    for text in found:
        ip = ip_address(text.partition("%")[0])
        mapped = getattr(ip, "ipv4_mapped", None) or ip
        if private or (local and mapped.is_loopback):
            continue
        if not secure:
            raise _Refused("http is for this machine alone")
        if not mapped.is_global or mapped.is_multicast:
            raise _Refused("it is an address of a private network")
    return found[0]


def _judged(answer: http.client.HTTPResponse) -> Sent:
    status = answer.status
    if 200 <= status < 300:
        return Sent()
    return Sent(f"the answer was {status}", _peace(answer.getheader("retry-after", "")))


def _peace(text: str) -> float:
    """Seconds that a Retry-After asks for."""
    if text.isdecimal() and len(text) < 10:
        return float(text)
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - time())
    except ValueError:
        return 0.0
