"""A process that keeps one signing key to itself and signs what it is handed.

    python -m synthesis.provenance.key_process KEY.pem SOCKET [PASSWORD-FILE]

PASSWORD-FILE holds the password of a key that is encrypted (PKCS#8). Run it as another
user than the site, who alone may read the key; give the site's group the socket. The
site is then told C2PA_PRIVATE_KEY=unix:SOCKET. To bridge to a PKCS#11 token or a KMS,
put its own call in place of `es256`.
"""

from __future__ import annotations

import os
import socketserver
import sys
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec

from synthesis.errors import SynthesisError
from synthesis.provenance.signers import LENGTH, es256, private_key

LARGEST_MESSAGE = 1 << 20


class Desk(socketserver.StreamRequestHandler):
    """One message in, one signature out; anything else is hung up on."""

    timeout = 10.0
    server: KeyServer

    def handle(self) -> None:
        """Answer one caller."""
        head = self.rfile.read(LENGTH.size)
        length = LENGTH.unpack(head)[0] if len(head) == LENGTH.size else 0
        if 0 < length <= LARGEST_MESSAGE:
            message = self.rfile.read(length)
            if len(message) == length:
                self.wfile.write(es256(self.server.key, message))


class KeyServer(socketserver.UnixStreamServer):
    """Listens at `path` for as long as it is told to serve."""

    def __init__(self, key: ec.EllipticCurvePrivateKey, path: str) -> None:
        self.key = key
        Path(path).unlink(missing_ok=True)
        before = os.umask(0o117)  # owner and group only, from the first moment
        try:
            super().__init__(path, Desk)
        finally:
            os.umask(before)


def main() -> None:
    """Serve until ended."""
    secret = Path(sys.argv[3]).read_bytes().rstrip(b"\r\n") if sys.argv[3:] else None
    try:
        key = private_key(Path(sys.argv[1]), secret)
    except SynthesisError as error:
        sys.exit(error.sentence)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        sys.exit("The key is not an EC key.")
    with KeyServer(key, sys.argv[2]) as server:
        server.serve_forever()


if __name__ == "__main__":
    main()
