"""How fast a log of privileged actions is checked: `python -m bench.audit`.

Beside reading and hashing the same lines and no more, which is the least that checking a chain of hashes can be.
"""

from __future__ import annotations

import tempfile
from hashlib import sha256
from pathlib import Path

import orjson

from bench.races import race, ratio
from identity_graph import audit
from identity_graph.secret_file import replace_secret
from identity_graph.signing import Signer, render

ENTRIES = 100_000
A_SECOND = 100_000


def write(path: Path, signer: Signer, count: int = ENTRIES) -> None:
    """As `AuditLog.add` does, without waiting for the disk."""
    last = audit.FIRST
    lines = []
    for number in range(1, count + 1):
        entry = {"number": number, "time": "2026-01-01T00:00:00Z", "actor": "key 0123456789ab", "role": "admin"}
        entry |= {"action": "key create", "target": "key 0123456789ab", "outcome": "done", "of": None, "previous": last}
        last = entry["hash"] = audit.hash_of(entry)
        signed = signer.sign(entry) if number % audit.SIGNED_EVERY == 0 or number == count else entry
        lines.append(audit.line_of(signed))
    path.write_bytes(b"".join(lines))
    replace_secret(audit.head_of(path), render(signed))


def read_and_hash(path: Path) -> int:
    with path.open("rb") as file:
        return sum(len(sha256(line).hexdigest()) + len(orjson.loads(line)) > 0 for line in file)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        path, signer = Path(folder) / "audit.jsonl", Signer(Path(folder) / "signing.pem")
        write(path, signer)
        public = signer.public()
        best, found = race({"check": lambda: audit.verify_log(path, public), "read": lambda: read_and_hash(path)})
        assert set(found.values()) == {ENTRIES}
    ratio("audit: checking, to reading and hashing", best["check"], best["read"], "lower is better")
    print(f"audit: {ENTRIES / best['check']:,.0f} entries a second are checked (bar {A_SECOND:,})")


if __name__ == "__main__":
    main()
