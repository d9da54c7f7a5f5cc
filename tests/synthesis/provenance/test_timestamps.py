"""A time-stamp authority that answers, one that does not, and ones that misbehave."""

from __future__ import annotations

import shutil
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import c2pa
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from synthesis.provenance import signing
from synthesis.provenance.keys import test_authority as authority_of
from synthesis.provenance.manifest import sign
from synthesis.provenance.native import settings
from synthesis.provenance.read import read_credential
from synthesis.provenance.timestamps import TimestampRelay
from tests.synthesis.provenance.certificates import DAY, issued
from tests.synthesis.provenance.conftest import Studio

Answer = Callable[[bytes], bytes]


@contextmanager
def authority(answer: Answer) -> Iterator[tuple[str, list[bytes]]]:
    """A server that answers so; its address, and what it was asked."""
    asked: list[bytes] = []

    class Desk(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked.append(self.rfile.read(int(self.headers["Content-Length"])))
            content = answer(asked[-1])
            self.send_response(200)
            self.send_header("Content-Type", "application/timestamp-reply")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None: ...

    with HTTPServer(("127.0.0.1", 0), Desk) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/tsa", asked
        server.shutdown()


def stamped(studio: Studio, scene: Path, address: str) -> Path:
    path = studio.folder / "out.mp4"
    sign(
        scene,
        path,
        facts=studio.facts,
        signer=studio.signer,
        anchors=studio.anchors,
        time_authority=address,
    )
    return path


def test_an_authority_that_is_down_stops_nothing(studio: Studio, scene: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        address = f"http://127.0.0.1:{nobody.getsockname()[1]}/"
    path = stamped(studio, scene, address)
    assert read_credential(path, anchors=studio.anchors).state == "trusted"


def test_an_authority_that_never_answers_stops_nothing(
    studio: Studio, scene: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    impatient = partial(TimestampRelay, wait_s=0.3)
    monkeypatch.setattr(signing, "TimestampRelay", impatient)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        path = stamped(studio, scene, f"http://127.0.0.1:{silent.getsockname()[1]}/")
    assert read_credential(path, anchors=studio.anchors).state == "trusted"


@pytest.mark.parametrize("content", [b"", b"no time-stamp", b"\x30\x03\x02\x01\x02"])
def test_an_authority_that_talks_nonsense_stops_nothing(
    studio: Studio, scene: Path, content: bytes
) -> None:
    with authority(lambda _: content) as (address, asked):
        path = stamped(studio, scene, address)
    assert asked
    assert read_credential(path, anchors=studio.anchors).state == "trusted"


def test_an_address_that_is_none_stops_nothing(studio: Studio, scene: Path) -> None:
    path = stamped(studio, scene, "ftp://example.com/")
    assert read_credential(path, anchors=studio.anchors).state == "trusted"


CONFIGURATION = """
[tsa]
default_tsa = one
[one]
serial = {folder}/serial
crypto_device = builtin
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256, sha384, sha512
accuracy = secs:1
ordering = yes
tsa_name = yes
ess_cert_id_chain = no
ess_cert_id_alg = sha256
"""


def openssl_authority(studio: Studio, *, proper: bool) -> Answer:
    """RFC 3161 as OpenSSL speaks it, with a certificate as C2PA wants it or not."""
    folder = studio.folder / "tsa"
    folder.mkdir()
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = stamping_certificate(studio, key) if proper else self_signed(key)
    encoding = serialization.Encoding.PEM
    (folder / "tsa.pem").write_bytes(certificate.public_bytes(encoding))
    (folder / "root.pem").write_bytes(studio.anchors)
    plain = serialization.NoEncryption()
    (folder / "tsa.key").write_bytes(
        key.private_bytes(encoding, serialization.PrivateFormat.PKCS8, plain)
    )
    (folder / "tsa.cnf").write_text(CONFIGURATION.format(folder=folder))

    def answer(query: bytes) -> bytes:
        (folder / "query").write_bytes(query)
        command = "openssl ts -reply -config tsa.cnf -section one -queryfile query"
        files = "-signer tsa.pem -inkey tsa.key -chain root.pem -out reply"
        subprocess.run([*command.split(), *files.split()], cwd=folder, check=True)
        return (folder / "reply").read_bytes()

    return answer


STAMPING = [ExtendedKeyUsageOID.TIME_STAMPING]


def stamping_certificate(
    studio: Studio, key: ec.EllipticCurvePrivateKey
) -> x509.Certificate:
    now = datetime.now(UTC)
    return issued(
        studio.authority,
        key,
        begins=now - DAY,
        ends=now + DAY,
        uses=STAMPING,
        uses_critical=True,
    )


def self_signed(key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Local clock")])
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(now - DAY)
        .not_valid_after(now + DAY)
        .add_extension(x509.ExtendedKeyUsage(STAMPING), True)
        .sign(key, hashes.SHA256())
    )


@pytest.mark.skipif(not shutil.which("openssl"), reason="needs the openssl command")
@pytest.mark.parametrize("proper", [True, False])
def test_a_real_authority_stamps_if_its_certificate_is_as_it_should_be(
    studio: Studio, scene: Path, proper: bool
) -> None:
    with authority(openssl_authority(studio, proper=proper)) as (address, asked):
        path = stamped(studio, scene, address)
    assert len(asked) == 1
    assert read_credential(path, anchors=studio.anchors).state == "trusted"
    context = c2pa.Context.from_dict(settings(studio.anchors))
    with (
        path.open("rb") as file,
        c2pa.Reader("video/mp4", file, context=context) as reader,
    ):
        codes = {one["code"] for one in informational(reader)}
    assert ("timeStamp.validated" in codes) == proper


@pytest.mark.skipif(not shutil.which("openssl"), reason="needs the openssl command")
def test_an_authoritys_word_is_believed_only_under_a_root_for_that(
    studio: Studio, scene: Path
) -> None:
    clocks = replace(studio, authority=authority_of(studio.folder / "clocks"))
    with authority(openssl_authority(clocks, proper=True)) as (address, _):
        path = stamped(studio, scene, address)
    plain = studio.signed("plain.mp4", scene)
    trusting = {"anchors": studio.anchors, "time_anchors": clocks.anchors}
    assert read_credential(path, **trusting).clock == "trusted"
    assert read_credential(path, anchors=studio.anchors).clock == "unknown"
    assert read_credential(plain, **trusting).clock == ""
    # Who may tell the time may not sign files.
    of_clocks = read_credential(path, anchors=b"", time_anchors=studio.anchors)
    assert of_clocks.state == "valid"
    assert of_clocks.problems == ("signingCredential.untrusted",)
    both = studio.anchors + clocks.anchors
    assert read_credential(path, anchors=both, time_anchors=both).state == "trusted"


def informational(reader: c2pa.Reader) -> list[dict[str, str]]:
    results = reader.get_validation_results()
    assert results is not None
    found = results["activeManifest"]
    return [*found["success"], *found["informational"], *found["failure"]]


def test_the_relay_follows_no_one_elsewhere(studio: Studio) -> None:
    heard: list[bytes] = []

    class Elsewhere(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            heard.append(b"!")
            self.send_response(307)
            self.send_header("Location", f"http://127.0.0.1:{port}/again")
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    with HTTPServer(("127.0.0.1", 0), Elsewhere) as server:
        port = server.server_address[1]
        threading.Thread(target=server.serve_forever, daemon=True).start()
        relay = TimestampRelay(f"http://127.0.0.1:{port}/")
        with relay, pytest.raises(OSError, match="307"):
            relay.passed_on(b"query")
        server.shutdown()
    assert heard == [b"!"]
