"""The files of `deploy/`, with the programs that they are for."""

import http.client
import re
import shutil
import socket
import ssl
import subprocess
import time
from contextlib import contextmanager

import pytest

from tests.authority import Authority
from tests.conftest import CONFIG, ROOT
from tests.webserver import Client, web_client

DEPLOY = ROOT / "deploy"
NGINX, CADDY, ANALYZE = shutil.which("nginx"), shutil.which("caddy"), shutil.which("systemd-analyze")


@pytest.mark.skipif(ANALYZE is None, reason="systemd-analyze is not installed (Debian: systemd)")
def test_systemd_accepts_the_unit(tmp_path):
    """systemd-analyze finds no fault in the unit, and calls its exposure low."""
    text = (DEPLOY / "feeds.service").read_text("utf-8")
    unit = tmp_path / "feeds.service"
    unit.write_text(text.replace("/opt/feeds/bin/feeds run", f"{shutil.which('true')} run"), "utf-8")
    verified = subprocess.run([ANALYZE, "verify", "--man=no", unit], capture_output=True, text=True, check=False)
    assert [line for line in verified.stderr.splitlines() if "feeds.service" in line] == []
    assert verified.returncode == 0
    command = [ANALYZE, "security", "--offline=true", "--threshold=25", unit]
    assert subprocess.run(command, capture_output=True, check=False).returncode == 0


@contextmanager
def nginx_before(folder, socket_path, tls=""):
    """Start nginx with our snippet on a free port, with TLS if *tls* has the lines for it; yield the port."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    snippet = (DEPLOY / "nginx.conf").read_text("utf-8")
    snippet = snippet.replace("unix:/run/feeds/feeds.sock", socket_path).replace(
        "listen 80;", f"listen 127.0.0.1:{port}{f' ssl; {tls}' if tls else ''};"
    )
    places = "".join(f"{kind}_temp_path {folder}/{kind};\n" for kind in ("proxy", "fastcgi", "uwsgi", "scgi"))
    config = folder / "nginx.conf"
    config.write_text(
        f"daemon off; pid {folder}/nginx.pid; error_log {folder}/error.log;\nevents {{}}\n"
        f"http {{\nclient_body_temp_path {folder}/body;\n{places}{snippet}}}\n",
        "utf-8",
    )
    process = subprocess.Popen([NGINX, "-c", config, "-p", folder, "-e", f"{folder}/error.log"])
    try:
        for _ in range(200):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        yield port
    finally:
        process.terminate()
        process.wait(20)


@pytest.mark.skipif(NGINX is None, reason="nginx is not installed (Debian: nginx-light)")
def test_nginx_serves_feeds_through_the_snippet(site):
    """Behind nginx feeds are compressed and conditional, forms have bounds, and nobody gets `/metrics` by a header."""
    site.post("first", body="Words. " * 200)
    site.configure(CONFIG + '[web]\nurl = "https://letters.example.com/"\n')
    site.publish()
    folder = site.folder / "nginx"
    folder.mkdir()
    with web_client(site.config) as client, nginx_before(folder, f"{client.host}:{client.port}") as port:
        proxied = Client("127.0.0.1", port, client.door, [], client.connections)
        feed = proxied.get("/feeds/atom.xml", Accept_Encoding="br")
        assert (feed.status, feed.headers["Content-Encoding"]) == (200, "br")
        assert proxied.get("/feeds/atom.xml", If_None_Match=feed.headers["ETag"]).status == 304
        assert (proxied.get("/healthz").status, proxied.get("/metrics").status) == (200, 200)
        proxied.source = "127.0.0.2"  # not a trusted address
        assert proxied.get("/metrics").status == 404
        assert proxied.get("/metrics", X_Forwarded_For="127.0.0.1").status == 404
        proxied.source = "127.0.0.1"
        assert proxied.request("POST", "/echo", b"x" * 70_000).status == 413
        refused = [proxied.post("/echo", {"a": "b"}).status for _ in range(60)]
        assert (refused[0], 429 in refused) == (200, True)


@pytest.mark.skipif(NGINX is None, reason="nginx is not installed (Debian: nginx-light)")
def test_nginx_asks_for_https_over_https_only(site):
    """All answers have `Strict-Transport-Security` over HTTPS, and none over HTTP (RFC 6797, section 7.2)."""
    site.post("first")
    site.publish()
    folder = site.folder / "nginx"
    folder.mkdir()
    authority = Authority(folder)
    authority.server_context()
    trusting = ssl.create_default_context(cafile=authority.file)
    tls = f"ssl_certificate {folder}/127.0.0.1.pem; ssl_certificate_key {folder}/127.0.0.1.pem"
    with web_client(site.config) as client:
        address = f"{client.host}:{client.port}"
        with nginx_before(folder, address, tls) as port:
            for path in ("/feeds/atom.xml", "/subscribe", "/nowhere"):
                connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=20, context=trusting)
                connection.request("GET", path)
                assert connection.getresponse().getheader("Strict-Transport-Security") == "max-age=31536000"
                connection.close()
        with nginx_before(folder, address) as port:
            plain = Client("127.0.0.1", port, client.door, [], client.connections).get("/subscribe")
            assert (plain.status, plain.headers["Strict-Transport-Security"]) == (200, None)


@pytest.mark.skipif(CADDY is None, reason="caddy is not installed")
def test_caddy_accepts_the_snippet():
    """Caddy reads the snippet without a warning, and proxies to the socket."""
    command = [CADDY, "adapt", "--config", DEPLOY / "Caddyfile", "--adapter", "caddyfile"]
    adapted = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "unix//run/feeds/feeds.sock" in adapted.stdout
    assert '"Strict-Transport-Security":["max-age=31536000"]' in adapted.stdout
    assert "warn" not in adapted.stderr.lower()


def test_the_files_name_what_there_is():
    """Commands, keys and paths in the files are those of this program."""
    for file in DEPLOY.iterdir():
        text = file.read_text("utf-8")
        for command in re.findall(r"bin/feeds (\w+)", text):
            assert command in {"run", "serve"}
    assert "unix:/run/feeds/feeds.sock" in (DEPLOY / "nginx.conf").read_text("utf-8")
