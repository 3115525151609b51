"""Proxies and certificates from the environment, checked before the first request.

The variables are those that most programs read: `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY`, in upper or
lower case, and `SSL_CERT_FILE` and `SSL_CERT_DIR`. A value that cannot be used raises a `SettingsError` that names the
variable. A proxy's user and password are never shown.
"""

import ipaddress
import os
import ssl
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import getproxies

import httpx

from ion_pipeline.errors import SettingsError

_CERTIFICATES = ("SSL_CERT_FILE", "SSL_CERT_DIR")
# Other HTTP libraries read these, httpx does not.
_OTHERS_CERTIFICATES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")


def ssl_context(*, trust_env: bool) -> ssl.SSLContext:
    """The trusted certificates: those of `SSL_CERT_FILE` or `SSL_CERT_DIR`, otherwise those of certifi.

    Args:
        trust_env: Whether the variables are read.

    Raises:
        SettingsError: The variable's file or folder does not exist, or contains no certificates.
    """
    name = next((name for name in _CERTIFICATES if trust_env and os.environ.get(name)), None)
    if name is None:
        return httpx.create_ssl_context(trust_env=False)
    path = Path(os.environ[name])
    try:
        if name == "SSL_CERT_FILE":
            return ssl.create_default_context(cafile=path)
        if not any(path.iterdir()):
            raise SettingsError(f"{name}: the folder {path} is empty.", remedy=f"{_hashed()}, or unset it.")
        return ssl.create_default_context(capath=path)
    except ssl.SSLError as error:
        raise SettingsError(
            f"{name}: {path} contains no readable certificates ({error.reason or 'not PEM'}).",
            remedy="Point it at a file of certificates in PEM form (-----BEGIN CERTIFICATE-----), or unset it.",
        ) from None
    except OSError as error:
        raise SettingsError(
            f"{name}: {path} cannot be read ({error.strerror}).",
            remedy=f"{_hashed() if name == 'SSL_CERT_DIR' else 'Point it at a readable PEM file'}, or unset it.",
        ) from None


def _hashed() -> str:
    return "Point it at a folder of certificates named by `openssl rehash`"


def certificates_remedy() -> str:
    """What to do about a server whose certificate is not trusted, given the present environment."""
    found = next((name for name in _CERTIFICATES if os.environ.get(name)), None)
    if found:
        return f"{found} names the trusted authorities: add the one that issued the certificate, in PEM form."
    other = next((name for name in _OTHERS_CERTIFICATES if os.environ.get(name)), None)
    unread = f" ({other} is not read)" if other else ""
    return (
        "If a proxy or a private authority issues certificates here, set SSL_CERT_FILE to a PEM file that holds its "
        f"certificate{unread}. Otherwise, another server may be answering in ION's place."
    )


def proxy_for(url: str) -> httpx.Proxy | None:
    """The proxy for requests to a URL; None for a direct connection.

    Raises:
        SettingsError: The value of the variable that names it cannot be used.
    """
    proxies, parts = getproxies(), urlsplit(url)
    kind = next((kind for kind in (parts.scheme, "all") if proxies.get(kind)), None)
    if kind is None or _is_direct(parts.hostname or "", proxies.get("no", "")):
        return None
    name, value = _variable(kind), proxies[kind].strip()
    value = value if "://" in value else f"http://{value}"
    try:
        proxy = httpx.Proxy(value)
    except (ValueError, httpx.InvalidURL):
        scheme = value.partition("://")[0]
        known = scheme in {"http", "https", "socks5", "socks5h"}
        raise SettingsError(
            f"{name} is not the URL of a proxy." if known else f"{name} names a proxy of the unknown kind {scheme}://.",
            remedy="Write it as http://host:port, or unset it.",
        ) from None
    if not proxy.url.host:
        raise SettingsError(f"{name} is a URL without a host.", remedy="Write it as http://host:port, or unset it.")
    return proxy


def proxied_transport(
    proxy: httpx.Proxy, url: str, certificates: ssl.SSLContext, limits: httpx.Limits
) -> httpx.AsyncHTTPTransport:
    """The transport that carries requests to a URL through a proxy.

    Raises:
        SettingsError: It is a SOCKS proxy, and `socksio`, which httpx needs for one, is not installed.
    """
    try:
        return httpx.AsyncHTTPTransport(verify=certificates, proxy=proxy, limits=limits)
    except ImportError:
        raise socks_missing(url) from None


def socks_missing(url: str) -> SettingsError:
    """The error for a SOCKS proxy without `socksio`; it names the variable, not the URL."""
    scheme = urlsplit(url).scheme
    name = _variable(scheme if getproxies().get(scheme) else "all")
    return SettingsError(
        f"{name} names a SOCKS proxy, but the package socksio is not installed.",
        remedy="pip install socksio, or set HTTPS_PROXY to an HTTP proxy, or list the host in NO_PROXY.",
    )


def _variable(kind: str) -> str:
    name = f"{kind}_proxy"
    found = [one for one in (name, name.upper()) if os.environ.get(one)]
    return found[0] if found else "The system's proxy setting"


def _is_direct(host: str, no_proxy: str) -> bool:
    """Whether NO_PROXY lists a host: by its name, a domain above it, its address, its network, or `*` for all."""
    return any(_fits(host.lower(), entry.strip().lower()) for entry in no_proxy.split(",") if entry.strip())


def _fits(host: str, entry: str) -> bool:
    if entry == "*":
        return True
    entry = entry.rpartition("://")[2]
    if entry.startswith("["):
        entry = entry[1:].partition("]")[0]
    elif entry.count(":") == 1:
        entry = entry.partition(":")[0]
    try:
        return ipaddress.ip_address(host) in ipaddress.ip_network(entry, strict=False)
    except ValueError:
        name = entry.lstrip("*").lstrip(".")
        return bool(name) and (host == name or host.endswith(f".{name}"))
