"""S6: whatever a caller calls a receiver, nothing inside is reached: the address is judged when it is connected to."""

import asyncio
import ipaddress
import ssl
from collections.abc import AsyncIterator, Sequence

import pytest

from wufeng.base.errors import Problem
from wufeng.base.webhooks import outbound
from wufeng.base.webhooks.outbound import Outbound, Reach, is_public
from wufeng.base.webhooks.rules import check_url

INSIDE = [
    "0.0.0.0",
    "0.1.2.3",
    "10.0.0.1",
    "10.255.255.255",
    "100.64.0.1",
    "100.127.255.254",
    "127.0.0.1",
    "127.0.0.2",
    "127.255.255.255",
    "169.254.0.1",
    "169.254.169.254",
    "169.254.170.2",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.1",
    "192.0.0.170",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.0.1",
    "192.168.255.255",
    "198.18.0.1",
    "198.19.255.255",
    "198.51.100.7",
    "203.0.113.9",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::7f00:1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:169.254.169.254",
    "::ffff:0:127.0.0.1",
    "::ffff:8.8.8.8",
    "64:ff9b::127.0.0.1",
    "64:ff9b::10.0.0.1",
    "64:ff9b:1::1",
    "100::1",
    "2001::1",
    "2001:0:7f00:1::",
    "2001:2::1",
    "2001:10::1",
    "2001:20::1",
    "2001:db8::1",
    "2002:7f00:1::",
    "2002:a00:1::1",
    "2002:a9fe:a9fe::",
    "2620:4f:8000::1",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%lo",
    "fec0::1",
    "ff02::1",
    "ff0e::1",
    "4000::1",
    "e000::1",
]
OUTSIDE = [
    "1.1.1.1",
    "8.8.8.8",
    "9.255.255.255",
    "11.0.0.1",
    "100.63.255.255",
    "100.128.0.1",
    "126.255.255.255",
    "128.0.0.1",
    "169.253.255.255",
    "169.255.0.1",
    "172.15.255.255",
    "172.32.0.1",
    "192.167.255.255",
    "192.169.0.1",
    "198.17.255.255",
    "198.20.0.1",
    "223.255.255.255",
    "2606:4700:4700::1111",
    "2400:3200::1",
    "2a00:1450:4001::1",
    "2001:4860:4860::8888",
]

OTHER_NOTATIONS = [
    "http://127.1:{port}/",
    "http://127.0.1:{port}/",
    "http://2130706433:{port}/",
    "http://0x7f000001:{port}/",
    "http://0x7f.0.0.1:{port}/",
    "http://0x7f.1:{port}/",
    "http://0177.0.0.1:{port}/",
    "http://0177.1:{port}/",
    "http://017700000001:{port}/",
    "http://0:{port}/",
    "http://0.0.0.0:{port}/",
    "http://localhost:{port}/",
    "http://LOCALHOST:{port}/",
    "http://localhost.:{port}/",
    "http://[::1]:{port}/",
    "http://[::]:{port}/",
    "http://[::ffff:127.0.0.1]:{port}/",
    "http://[::ffff:7f00:1]:{port}/",
    "http://[0:0:0:0:0:ffff:127.0.0.1]:{port}/",
    "http://[0000::1]:{port}/",
    "http://127.0.0.1:{port}#@example.com/",
    "http://127.0.0.1:{port}?@example.com/",
    "http://example.com@127.0.0.1:{port}/",
    "http://127.0.0.1.:{port}/",
    "http://%31%32%37.0.0.1:{port}/",
    "http://①②⑦.⓪.⓪.①:{port}/",
]


def test_there_are_at_least_60_vectors() -> None:
    assert len(INSIDE) + len(OTHER_NOTATIONS) >= 60


@pytest.mark.parametrize("address", INSIDE)
def test_inside_is_not_public(address: str) -> None:
    assert not is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", OUTSIDE)
def test_outside_is_public(address: str) -> None:
    assert is_public(ipaddress.ip_address(address))


class Receiver:
    """An HTTP server on all loopback addresses; counts who got through."""

    def __init__(self) -> None:
        self.reached = 0
        self.requests: list[bytes] = []
        self.answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
        self.port = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reached += 1
        try:
            self.requests.append(await reader.readuntil(b"\r\n\r\n"))
            writer.write(self.answer)
            await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    server = await asyncio.start_server(receiver.serve, "0.0.0.0")
    receiver.port = server.sockets[0].getsockname()[1]
    yield receiver
    server.close()


@pytest.mark.parametrize("url", OTHER_NOTATIONS)
async def test_no_notation_reaches_this_machine(receiver: Receiver, url: str) -> None:
    out = Outbound(Reach.PUBLIC)
    sent = await out.post(url.format(port=receiver.port), {}, b"{}")
    await out.close()
    assert sent.response_status is None
    assert receiver.reached == 0


@pytest.mark.parametrize("address", [a for a in INSIDE if "%" not in a])
async def test_no_name_leads_inside(receiver: Receiver, address: str) -> None:
    """The name is fine, what it resolves to is not; also when a good address stands before it."""

    async def resolve(host: str, port: int) -> Sequence[str]:
        return ["8.8.8.8", address] if ":" in address else [address]

    out = Outbound(Reach.PUBLIC, resolve_name=resolve)
    sent = await out.post(f"http://receiver.example:{receiver.port}/", {}, b"{}")
    await out.close()
    assert sent.failure is not None
    assert sent.failure.startswith("address_refused")
    assert receiver.reached == 0


async def test_rebinding_finds_no_gap(receiver: Receiver) -> None:
    """A name that is public when asked first and inside when asked again is asked once a connection."""
    asked: list[str] = []

    async def rebinding(host: str, port: int) -> Sequence[str]:
        asked.append(host)
        return ["192.0.0.8" if len(asked) == 1 else "127.0.0.1"]

    out = Outbound(Reach.PUBLIC, resolve_name=rebinding)
    for _ in range(3):
        sent = await out.post(f"http://rebind.example:{receiver.port}/", {}, b"{}")
        assert sent.response_status is None
    await out.close()
    assert asked == ["rebind.example"] * 3
    assert receiver.reached == 0


async def test_a_redirect_is_not_followed(receiver: Receiver) -> None:
    receiver.answer = (
        b"HTTP/1.1 307 Go\r\nLocation: http://169.254.169.254/latest/\r\nContent-Length: 0\r\n\r\n"
    )
    out = Outbound(Reach.ANYWHERE)
    sent = await out.post(f"http://127.0.0.1:{receiver.port}/x", {}, b"{}")
    await out.close()
    assert (sent.response_status, receiver.reached) == (307, 1)


async def test_configuration_may_allow_this_machine(receiver: Receiver) -> None:
    out = Outbound(Reach.ANYWHERE)
    sent = await out.post(f"http://localhost:{receiver.port}/hook?a=1", {"webhook-id": "evt_1"}, b'{"a":1}')
    await out.close()
    assert (sent.response_status, sent.failure) == (200, None)
    (request,) = receiver.requests
    assert request.startswith(b"POST /hook?a=1 HTTP/1.1\r\n")
    assert f"Host: localhost:{receiver.port}".encode() in request
    assert b"webhook-id: evt_1" in request


async def test_a_proxy_of_the_environment_is_not_used(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{receiver.port}")
    monkeypatch.setenv("ALL_PROXY", f"http://127.0.0.1:{receiver.port}")

    async def resolve(host: str, port: int) -> Sequence[str]:
        return ["127.0.0.1"]

    out = Outbound(Reach.PUBLIC, resolve_name=resolve)
    await out.post("http://receiver.example/", {}, b"{}")
    await out.close()
    assert receiver.reached == 0


async def test_a_huge_answer_is_cut(receiver: Receiver) -> None:
    receiver.answer = b"HTTP/1.1 200 OK\r\nContent-Length: 50000000\r\n\r\n" + b"x" * 200_000
    out = Outbound(Reach.ANYWHERE)
    sent = await out.post(f"http://127.0.0.1:{receiver.port}/", {}, b"{}")
    await out.close()
    assert sent.response_status == 200


async def test_a_slow_receiver_times_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """A drop at a time keeps each read within its time-out; the whole has one too."""
    monkeypatch.setattr(outbound, "SEND_MAX_S", 0.3)

    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
            for _ in range(100):
                writer.write(b"x")
                await writer.drain()
                await asyncio.sleep(0.05)
        except ConnectionError:
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(drip, "127.0.0.1")
    out = Outbound(Reach.ANYWHERE)
    sent = await out.post(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/", {}, b"{}")
    await out.close()
    server.close()
    assert (sent.response_status, sent.failure) == (None, "timeout")
    assert sent.took_ms < 2_000


async def test_tls_goes_on_with_the_name_not_the_address(tmp_path_factory: pytest.TempPathFactory) -> None:
    """A certificate for the name is accepted though the connection goes to a judged address; another name's is not."""
    server_side, client_side = _certified("receiver.example")
    names: list[str | None] = []
    server_side.sni_callback = lambda socket, name, context: names.append(name)
    receiver = Receiver()
    server = await asyncio.start_server(receiver.serve, "127.0.0.1", ssl=server_side)
    port = server.sockets[0].getsockname()[1]

    async def resolve(host: str, port: int) -> Sequence[str]:
        return ["127.0.0.1"]

    out = Outbound(Reach.ANYWHERE, resolve_name=resolve, trust=client_side)
    good = await out.post(f"https://receiver.example:{port}/", {}, b"{}")
    bad = await out.post(f"https://other.example:{port}/", {}, b"{}")
    await out.close()
    server.close()
    assert good.response_status == 200
    assert bad.response_status is None
    assert names == ["receiver.example", "other.example"]


def _certified(name: str) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A server's context with a fresh certificate for a name, and a client's that trusts just that."""
    import tempfile
    from datetime import UTC, datetime, timedelta

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    server_side = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.NamedTemporaryFile() as file:
        file.write(
            pem
            + key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        file.flush()
        server_side.load_cert_chain(file.name)
    return server_side, ssl.create_default_context(cadata=pem.decode())


@pytest.mark.parametrize(
    "url",
    [
        "", "receiver.example", "//receiver.example", "http://receiver.example/", "ftp://receiver.example/",
        "file:///etc/passwd", "gopher://receiver.example/", "https://", "https:///x", "https://a@receiver.example/",
        "https://a:b@receiver.example/", "https://receiver.example/#x", "https://receiver.example:99999/",
        "https://receiver.example:x/", "https://[::1/", "https://receiver example/", "https://receiver.example/\n",
        "https://bücher.example/", "https://receiver.example\\@127.0.0.1/", "javascript:alert(1)",
        "https://receiver.example/" + "a" * 2_000,
    ],
)  # fmt: skip
def test_an_address_that_can_never_be_right_is_refused_when_it_is_given(url: str) -> None:
    with pytest.raises(Problem):
        check_url(url, plain_http=False)


@pytest.mark.parametrize(
    "url", ["https://receiver.example/a?b=c", "https://receiver.example:8443", "https://1.1.1.1/"]
)
def test_an_ordinary_address_is_taken(url: str) -> None:
    check_url(url, plain_http=False)
