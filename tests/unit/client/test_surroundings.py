"""Proxies and certificates from the environment: what works, and one sentence for what does not."""

import asyncio
import datetime
import ssl
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from ion_pipeline.client import IonClient
from ion_pipeline.client.errors import CertificateError
from ion_pipeline.client.surroundings import proxy_for, ssl_context
from ion_pipeline.client.transport import AiohttpTransport, default_transport
from ion_pipeline.errors import SettingsError
from tests.unit.client.support import config

SECRET = "hunter2"
API = "https://api.ion.test"


@pytest.fixture(autouse=True)
def _nothing_said(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    ("url", "no_proxy", "is_direct"),
    [
        (API, "localhost,127.0.0.1,::1", False),
        (API, "[::1]:8080,fe80::/10,[2001:db8::]/32", False),
        (API, "not a host at all,[,://,:", False),
        ("https://[2001:db8::7]", "::1, 2001:db8::/32", True),
        ("https://[2001:db8::7]", "[2001:db8::7]:443", True),
        ("https://10.1.2.3", "10.0.0.0/8", True),
        ("https://11.1.2.3", "10.0.0.0/8", False),
        (API, "ION.test", True),
        (API, ".ion.test", True),
        (API, "*.ion.test", True),
        (API, "api.ion.test:443", True),
        (API, "pi.ion.test", False),
        (API, "other,*", True),
    ],
)
def test_no_proxy(url: str, no_proxy: str, is_direct: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "proxy.test:3128")
    monkeypatch.setenv("NO_PROXY", no_proxy)
    assert (proxy_for(url) is None) == is_direct
    # The environment does not prevent a client from being created.
    IonClient(config(api_url=url))


def test_each_host_has_its_own_route(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", f"http://me:{SECRET}@proxy.test:3128")
    monkeypatch.setenv("NO_PROXY", "auth.ion.test")
    transport = default_transport(config(), keep_alive=1)
    assert not isinstance(transport, AiohttpTransport)
    assert set(transport.proxied) == {"api.ion.test"}  # type: ignore[attr-defined]
    monkeypatch.setenv("NO_PROXY", "ion.test")
    assert isinstance(default_transport(config(), keep_alive=1), AiohttpTransport)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("ALL_PROXY", f"socks5://me:{SECRET}@proxy.test:1080", "ALL_PROXY names a SOCKS proxy"),
        ("HTTPS_PROXY", f"socks5h://me:{SECRET}@proxy.test:1080", "HTTPS_PROXY names a SOCKS proxy"),
        ("https_proxy", f"socks4://me:{SECRET}@proxy.test", "https_proxy names a proxy of the unknown kind socks4://"),
        ("ALL_PROXY", f"ftp://me:{SECRET}@proxy.test", "ALL_PROXY names a proxy of the unknown kind ftp://"),
        ("HTTPS_PROXY", f"http://me:{SECRET}@proxy.test:port", "HTTPS_PROXY is not the URL of a proxy"),
        ("HTTPS_PROXY", f"http://me:{SECRET}@", "HTTPS_PROXY is a URL without a host"),
    ],
)
def test_a_proxy_that_cannot_be_used(name: str, value: str, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match=said) as caught:
        IonClient(config())
    assert SECRET not in str(caught.value)
    assert caught.value.remedy
    # Requests to a tenant on this machine are direct, whatever the environment says.
    IonClient(config(api_url="http://127.0.0.1:1"))


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("SSL_CERT_FILE", None, r"SSL_CERT_FILE: .*bundle cannot be read \(No such file"),
        ("SSL_CERT_FILE", "", "SSL_CERT_FILE: .*bundle contains no readable certificates"),
        ("SSL_CERT_FILE", "no certificate", "SSL_CERT_FILE: .*bundle contains no readable certificates"),
        ("SSL_CERT_DIR", None, r"SSL_CERT_DIR: .*bundle cannot be read \(No such file"),
        ("SSL_CERT_DIR", "a file", r"SSL_CERT_DIR: .*bundle cannot be read \(Not a directory"),
    ],
)
def test_certificates_that_cannot_be_read(
    name: str, content: str | None, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = tmp_path / "bundle"
    if content is not None:
        bundle.write_text(content)
    monkeypatch.setenv(name, str(bundle))
    with pytest.raises(SettingsError, match=said):
        IonClient(config())
    assert ssl_context(trust_env=False).verify_mode is ssl.CERT_REQUIRED
    IonClient(config(api_url="http://127.0.0.1:1"))


def own_authority(folder: Path) -> tuple[Path, Path]:
    """A self-signed certificate for localhost, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("ion.localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    paths = folder / "certificate.pem", folder / "key.pem"
    paths[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    paths[1].write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return paths


@pytest.mark.parametrize(
    ("variable", "said"),
    [
        (None, "set SSL_CERT_FILE to a PEM file"),
        ("REQUESTS_CA_BUNDLE", "REQUESTS_CA_BUNDLE is not read"),
        ("SSL_CERT_FILE", "SSL_CERT_FILE names the trusted authorities"),
    ],
)
@pytest.mark.parametrize("carrier", ["aiohttp", "httpx"])
def test_an_unknown_authority_is_not_retried(
    carrier: str, variable: str | None, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate, key = own_authority(tmp_path)
    (tmp_path / "other").mkdir()
    if variable:
        monkeypatch.setenv(variable, str(own_authority(tmp_path / "other")[0]))
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(certificate, key)

    async def run() -> int:
        server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0, ssl=tls)
        async with server:
            url = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"
            context = ssl_context(trust_env=True)
            transport = (
                AiohttpTransport(keep_alive=1) if carrier == "aiohttp" else httpx.AsyncHTTPTransport(verify=context)
            )
            async with IonClient(config(api_url=url, auth_url=url), transport=transport) as client:
                with pytest.raises(CertificateError, match="is not trusted during") as caught:
                    await client.me()
                assert said in caught.value.remedy
                return client.stats.token_requests

    assert asyncio.run(run()) == 1
