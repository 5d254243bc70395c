"""deploy/nginx/ in front of processes that refuse, reset, say no or stream."""

from __future__ import annotations

import asyncio
import ssl
import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx2
import pytest
import pytest_asyncio
from websockets.asyncio.client import connect

from deploy.program import Program, free_port, listens
from deploy.servers import NGINX_FOLDER, Nginx, Site, find_program
from tests.faults.conftest import missing_program_is_said
from tests.integration.stand_in import (
    StandIn,
    answering,
    echo,
    reset,
    say_ok,
    serving,
    streaming,
)

pytestmark = pytest.mark.asyncio

SOON_S = 10.0
NAME = "chat.example.org"
Pair = tuple[StandIn, StandIn]


@pytest.fixture
def folder() -> Iterator[Path]:
    # Not pytest's own, which only its owner can enter: nginx's workers are somebody else.
    with tempfile.TemporaryDirectory(prefix="chat-") as made:
        yield Path(made)


@pytest_asyncio.fixture
async def pair() -> AsyncIterator[Pair]:
    first, second = StandIn(), StandIn()
    async with serving(first), serving(second):
        yield first, second


@pytest.fixture
def nginx(folder: Path, pair: Pair) -> Iterator[Nginx]:
    sites = [Site(f"stand-in-{n}", folder, {}, port=pair[n].port) for n in range(2)]
    with missing_program_is_said(), Nginx(folder, sites) as running:
        yield running


@pytest_asyncio.fixture
async def client(nginx: Nginx) -> AsyncIterator[httpx2.AsyncClient]:
    async with httpx2.AsyncClient(base_url=nginx.base_url, timeout=SOON_S) as made:
        yield made


async def test_what_a_client_says_of_itself_is_overwritten(
    client: httpx2.AsyncClient, nginx: Nginx, pair: Pair
) -> None:
    forged = {"X-Forwarded-For": "192.0.2.1", "X-Forwarded-Proto": "https"}
    await client.get("/", headers=forged)
    headers = [*pair[0].requests, *pair[1].requests][0].headers
    assert headers.getall("X-Forwarded-For") == ["127.0.0.1"]
    assert headers.getall("X-Forwarded-Proto") == ["http"]
    assert headers["Host"] == f"127.0.0.1:{nginx.port}"


@pytest.mark.parametrize("path", ["/", "/c/1/send/"])
async def test_a_form_that_a_process_drops_goes_to_another(
    client: httpx2.AsyncClient, pair: Pair, path: str
) -> None:
    pair[0].answer = reset
    for number in range(2):  # one of them meets the process that resets first
        response = await client.post(path, data={"text": f"prompt {number}", "key": "1"})
        assert response.text == "ok"
    assert pair[1].bodies == [b"text=prompt+0&key=1", b"text=prompt+1&key=1"]
    assert set(pair[0].bodies) < set(pair[1].bodies)


@pytest.mark.parametrize("path", ["/api/chat", "/v1/messages"])
async def test_a_program_s_request_is_not_sent_again(
    client: httpx2.AsyncClient, pair: Pair, path: str
) -> None:
    pair[0].answer = pair[1].answer = reset
    response = await client.post(path, json={"prompt": "hello"})
    assert response.status_code == 503
    assert len(pair[0].requests) + len(pair[1].requests) == 1


async def test_a_process_that_ended_is_passed_over(folder: Path) -> None:
    there = StandIn()
    async with serving(there):
        sites = [Site("gone", folder, {}), Site("there", folder, {}, port=there.port)]
        with missing_program_is_said(), Nginx(folder, sites) as nginx:
            async with httpx2.AsyncClient(base_url=nginx.base_url, timeout=SOON_S) as client:
                answers = [await client.post("/", data={"text": "hello"}) for _ in range(4)]
    assert [answer.text for answer in answers] == ["ok"] * 4


async def test_what_the_site_says_is_passed_on(client: httpx2.AsyncClient, pair: Pair) -> None:
    pair[0].answer = pair[1].answer = answering(503, "The database is away.")
    refused = await client.post("/", data={"text": "hello"})
    pair[0].answer = pair[1].answer = say_ok
    assert (refused.status_code, refused.text) == (503, "The database is away.")
    assert len(pair[0].requests) + len(pair[1].requests) == 1
    # Nobody counts as failed.
    assert (await client.get("/")).text == "ok"


async def test_no_process_at_all(folder: Path) -> None:
    with missing_program_is_said(), Nginx(folder, [Site("gone", folder, {})]) as nginx:
        response = httpx2.get(f"{nginx.base_url}/")
    assert response.status_code == 503 and "try again" in response.text
    assert response.headers["Retry-After"] == "5"


async def test_a_file_that_one_release_lacks_comes_from_the_other(
    client: httpx2.AsyncClient, pair: Pair
) -> None:
    pair[0].answer = answering(404, "not here")
    answers = [await client.get(f"/static/chat.{n}.css") for n in range(4)]
    pages = [await client.get(f"/c/{n}/") for n in range(4)]
    assert [answer.text for answer in answers] == ["ok"] * 4
    assert {page.status_code for page in pages} == {200, 404}


@pytest.mark.parametrize(
    ("path", "headers"),
    [("/api/chat", {}), ("/v1/messages", {}), ("/c/1/", {"X-Accel-Buffering": "no"})],
)
async def test_an_event_stream_comes_as_it_is_written(
    client: httpx2.AsyncClient, pair: Pair, path: str, headers: dict[str, str]
) -> None:
    pieces: asyncio.Queue[bytes | None] = asyncio.Queue()
    headers = {"Content-Type": "text/event-stream", **headers}
    pair[0].answer = pair[1].answer = streaming(pieces, headers)
    async with client.stream("POST", path, headers={"Accept-Encoding": "gzip"}) as response:
        received = response.aiter_raw()
        for piece in (b"data: one\n\n", b"data: two\n\n"):
            pieces.put_nowait(piece)
            async with asyncio.timeout(SOON_S):
                assert await anext(received) == piece
        pieces.put_nowait(None)
    assert "Content-Encoding" not in response.headers


async def test_pages_are_compressed(client: httpx2.AsyncClient, pair: Pair) -> None:
    pieces: asyncio.Queue[bytes | None] = asyncio.Queue()
    pair[0].answer = pair[1].answer = streaming(pieces, {"Content-Type": "text/html"})
    for piece in (b"<p>hello</p>" * 1_000, None):
        pieces.put_nowait(piece)
    response = await client.get("/", headers={"Accept-Encoding": "gzip"})
    assert response.headers["Content-Encoding"] == "gzip"


async def test_the_largest_prompt_passes(client: httpx2.AsyncClient, pair: Pair) -> None:
    body = b"x" * 60_100_000
    response = await client.post("/", content=body)
    assert response.text == "ok"
    assert [*pair[0].bodies, *pair[1].bodies] == [body]


async def test_a_socket_passes(nginx: Nginx, pair: Pair) -> None:
    pair[0].answer = pair[1].answer = echo
    address = f"{nginx.base_url.replace('http', 'ws', 1)}/ws/c/1/"
    async with connect(address, open_timeout=SOON_S) as socket:
        await socket.send("hello")
        assert await socket.recv() == "hello"


class Front(Program):
    """nginx with chat.conf as it stands, but for ports, paths and the certificate."""

    def __init__(self, folder: Path, upstream_ports: tuple[int, int]) -> None:
        self.http, self.https = free_port(), free_port()
        self.certificate = folder / "fullchain.pem"
        _make_certificate(folder)
        upstream = (NGINX_FOLDER / "upstream.conf").read_text()
        for number, port in zip((8001, 8002), upstream_ports, strict=True):
            upstream = upstream.replace(f":{number}", f":{port}")
        (folder / "upstream.conf").write_text(upstream.replace(":8003", f":{upstream_ports[0]}"))
        chat = (NGINX_FOLDER / "chat.conf").read_text()
        for old, new in {
            "listen 80": f"listen 127.0.0.1:{self.http}",
            "listen 443": f"listen 127.0.0.1:{self.https}",
            "listen [::]:80": f"listen [::1]:{self.http}",
            "listen [::]:443": f"listen [::1]:{self.https}",
            "/etc/chat/tls": str(folder),
            "include chat/upstream.conf": f"include {folder}/upstream.conf",
            "include chat/locations.conf": f"include {NGINX_FOLDER}/locations.conf",
        }.items():
            assert old in chat
            chat = chat.replace(old, new)
        config = folder / "nginx.conf"
        config.write_text(
            f"daemon off; pid {folder}/nginx.pid; error_log stderr warn;\n"
            f"include {NGINX_FOLDER}/main.conf;\n"
            "events {}\n"
            f"http {{ access_log off;\n{chat}\n}}\n"
        )
        super().__init__(
            "nginx",
            [find_program("nginx", "nginx"), "-p", str(folder), "-c", str(config)],
            folder,
            is_ready=lambda: listens(self.https),
        )


def _make_certificate(folder: Path) -> None:
    openssl = find_program("openssl", "openssl")
    names = ["-subj", f"/CN={NAME}", "-addext", f"subjectAltName=DNS:{NAME}"]
    files = ["-keyout", str(folder / "privkey.pem"), "-out", str(folder / "fullchain.pem")]
    command = [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    subprocess.run([*command, *names, *files], check=True, capture_output=True)


@pytest.fixture
def front(folder: Path, pair: Pair) -> Iterator[Front]:
    with missing_program_is_said(), Front(folder, (pair[0].port, pair[1].port)) as running:
        yield running


async def ask(front: Front, name: str) -> bytes:
    """Ask for a page by TLS under a name; return all that comes."""
    context = ssl.create_default_context(cafile=str(front.certificate))
    reader, writer = await asyncio.open_connection(
        "127.0.0.1", front.https, ssl=context, server_hostname=name
    )
    writer.write(f"GET / HTTP/1.1\r\nHost: {name}\r\nConnection: close\r\n\r\n".encode())
    answer = await reader.read()
    writer.close()
    return answer


async def test_tls_ends_at_nginx(front: Front, pair: Pair) -> None:
    assert (await ask(front, NAME)).endswith(b"\r\n\r\nok")
    headers = [*pair[0].requests, *pair[1].requests][0].headers
    assert (headers["X-Forwarded-Proto"], headers["Host"]) == ("https", NAME)


async def test_another_name_gets_no_certificate(front: Front, pair: Pair) -> None:
    with pytest.raises(ssl.SSLError, match="UNRECOGNIZED_NAME"):
        await ask(front, "other.example.org")
    assert not pair[0].requests and not pair[1].requests


async def test_plain_http_leads_to_https(front: Front) -> None:
    response = httpx2.get(f"http://127.0.0.1:{front.http}/c/1/?a=b")
    assert response.status_code == 301
    assert response.headers["Location"] == f"https://{NAME}/c/1/?a=b"
