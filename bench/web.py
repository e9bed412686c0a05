"""Measure `feeds serve` beside nginx on the same folder: conditional requests, whole feeds, slow clients, long polling.

Needs nginx and wrk (Debian: nginx-light, wrk). Both servers have one process, on one core; wrk has the other. What
counts is requests for each second of the server's processor time, which other programs on the machine change little.

    python bench/web.py                    # the table
    python bench/web.py --minutes 10       # and polling while posts are published
"""

import argparse
import gzip
import http.client
import os
import re
import resource
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Event, Thread

FEED = "/feeds/atom.xml"
SECONDS = 4
SLOW_CLIENTS = 2000
#: Requests of so many programs in turn, or no two of them equal.
PROGRAMS = """
local n = 0
request = function()
  n = (n + 1) % {programs}
  wrk.headers["User-Agent"] = "Mozilla/5.0 (X11; Linux x86_64; rv:" .. n .. ".0) Gecko/20100101"
  return wrk.format(nil, nil)
end
"""
NGINX = """
worker_processes 1; daemon off; pid {folder}/nginx.pid; error_log {folder}/nginx.log;
events {{ worker_connections 8192; }}
http {{
  types {{ application/atom+xml xml; }}
  access_log off; keepalive_requests 1000000; sendfile on; gzip_static on;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  server {{ listen 127.0.0.1:{port} backlog=2048; root {folder}/public; }}
}}
"""
CONFIG = """
[site]
title = "Bench"
url = "https://example.com/"
id_authority = "example.com,2026"
[web]
listen = "127.0.0.1:{port}"
[feeds]
formats = ["atom"]
"""


def free_port() -> int:
    """Return a port that nobody uses."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


def write_post(folder: Path, number: int, text: str = "words of a post ") -> None:
    """Write a post of eight paragraphs."""
    front = f"---\ntitle: Post {number}\ndate: 2026-01-{number % 28 + 1:02}\n---\n"
    paragraphs = [f"Paragraph {n} of {number}: {text * 20}{number * n}.\n" for n in range(8)]
    (folder / "posts" / f"post-{number}.md").write_text(front + "\n".join(paragraphs), "utf-8")


def publish(folder: Path) -> None:
    """Write the feeds of the site."""
    command = [sys.executable, "-m", "feeds", "publish", "--feeds-only", "--quiet", "--config", folder / "feeds.toml"]
    subprocess.run(command, check=True)


def make_site(folder: Path, port: int) -> None:
    """Write a site of 30 posts, of which feeds show 20, and publish it; nginx gets the feed compressed."""
    (folder / "posts").mkdir()
    (folder / "feeds.toml").write_text(CONFIG.format(port=port), "utf-8")
    for number in range(30):
        write_post(folder, number)
    publish(folder)
    feed = folder / "public" / FEED[1:]
    feed.with_name(f"{feed.name}.gz").write_bytes(gzip.compress(feed.read_bytes(), 6))


@contextmanager
def started(port: int, *command: object) -> Iterator[int]:
    """Run a server on the first core; yield its process id when it answers."""
    process = subprocess.Popen(["taskset", "-c", "0", *map(str, command)], stdout=subprocess.DEVNULL)
    try:
        for _ in range(300):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        yield process.pid
    finally:
        process.terminate()
        process.wait(30)


def cpu_seconds(pid: int) -> float:
    """Return the processor time of a process and its children that live."""
    pids = [pid, *map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())]
    stats = [Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split() for one in pids]
    return sum(int(stat[11]) + int(stat[12]) for stat in stats) / os.sysconf("SC_CLK_TCK")


def resident_megabytes(pid: int) -> float:
    """Return the memory of a process."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * resource.getpagesize() / 1e6


def load(pid: int, port: int, folder: Path, *headers: str, script: str = "") -> dict[str, float]:
    """Poll with 32 connections; return requests for each processor second and the 99th percentile in milliseconds."""
    command = ["taskset", "-c", "1", "wrk", "--latency", "-t1", "-c32", f"-d{SECONDS}s"]
    command += [part for header in headers for part in ("-H", header)]
    if script:
        (folder / "wrk.lua").write_text(script, "utf-8")
        command += ["-s", str(folder / "wrk.lua")]
    before = cpu_seconds(pid)
    output = subprocess.run([*command, f"http://127.0.0.1:{port}{FEED}"], capture_output=True, text=True, check=True)
    used = cpu_seconds(pid) - before
    requests = re.search(r"(\d+) requests in", output.stdout)
    latency = re.search(r"99%\s+([\d.]+)(us|ms|s)", output.stdout)
    assert requests, output.stdout
    assert latency, output.stdout
    assert "Non-2xx" not in output.stdout
    unit = {"us": 0.001, "ms": 1, "s": 1000}[latency[2]]
    return {"per_cpu_second": int(requests[1]) / used, "p99": float(latency[1]) * unit}


def etag(port: int) -> str:
    """Return the entity tag of the feed."""
    connection = http.client.HTTPConnection("127.0.0.1", port)
    connection.request("HEAD", FEED)
    return connection.getresponse().headers["ETag"]


@contextmanager
def slow_clients(port: int) -> Iterator[None]:
    """Keep connections open that send a byte of a request every two seconds; those that are cut off come again."""
    done = Event()

    def connect() -> socket.socket:
        client = socket.create_connection(("127.0.0.1", port))
        client.settimeout(0)
        return client

    def keep() -> None:
        clients = [connect() for _ in range(SLOW_CLIENTS)]
        while not done.wait(2):
            for at, client in enumerate(clients):
                try:
                    client.send(b"G")
                except OSError:
                    client.close()
                    clients[at] = connect()
        for client in clients:
            client.close()

    thread = Thread(target=keep)
    thread.start()
    time.sleep(3)
    try:
        yield
    finally:
        done.set()
        thread.join()


def poll(folder: Path, pid: int, port: int, minutes: float) -> None:
    """Poll from eight threads while a post is published every ten seconds; print memory and errors."""
    done, counts, errors = Event(), [0] * 8, []

    def read(number: int) -> None:
        tag = ""
        while not done.is_set():
            try:
                connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
                connection.request("GET", FEED, headers={"If-None-Match": tag, "A-IM": "feed" if number % 2 else ""})
                answer = connection.getresponse()
                body = answer.read()
                if answer.status not in (200, 226, 304) or (body and not body.rstrip().endswith(b"</feed>")):
                    errors.append(f"{answer.status}: {body[-40:]!r}")
                tag, counts[number] = answer.headers["ETag"], counts[number] + 1
                connection.close()
            except (OSError, http.client.HTTPException) as e:
                errors.append(repr(e))
            time.sleep(0.02)

    threads = [Thread(target=read, args=[number]) for number in range(8)]
    for thread in threads:
        thread.start()
    began, memory = time.monotonic(), []
    while time.monotonic() - began < minutes * 60:
        number = len(memory)
        write_post(folder, number % 30, f"version {number} ")
        publish(folder)
        time.sleep(10)
        memory.append(resident_megabytes(pid))
    done.set()
    for thread in threads:
        thread.join()
    half = len(memory) // 2
    print(
        f"\n{minutes:g} minutes: {sum(counts):,} requests, {len(memory)} publishes, {len(errors)} errors {errors[:2]}"
    )
    print(f"memory: {memory[0]:.0f} MB at first, {memory[half]:.0f} MB at half, {memory[-1]:.0f} MB at the end")


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=0)
    minutes = parser.parse_args().minutes
    if missing := [name for name in ("nginx", "wrk", "taskset") if not shutil.which(name)]:
        sys.exit(f"missing: {', '.join(missing)}")
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 16384), hard))
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        ours, theirs = free_port(), free_port()
        make_site(folder, ours)
        (folder / "nginx.conf").write_text(NGINX.format(folder=folder, port=theirs), "utf-8")
        folder.chmod(0o755)  # nginx's worker is another user
        serve = (sys.executable, "-m", "feeds", "serve", "--config", folder / "feeds.toml")
        feeds = stack.enter_context(started(ours, *serve))
        nginx = stack.enter_context(started(theirs, "nginx", "-c", folder / "nginx.conf", "-p", folder))
        print("| requests | nginx | feeds | ratio |\n|---|---:|---:|---:|")
        for name, header, programs in (
            ("conditional", "tag", 1000),
            ("conditional, no two requests equal", "tag", 1e9),
            ("whole feed, compressed", "Accept-Encoding: gzip", 1000),
            ("whole feed, compressed, no two requests equal", "Accept-Encoding: gzip", 1e9),
        ):
            found = []
            for pid, port in ((nginx, theirs), (feeds, ours)):
                sent = f"If-None-Match: {etag(port)}" if header == "tag" else header
                script = PROGRAMS.format(programs=int(programs))
                found.append(load(pid, port, folder, sent, script=script)["per_cpu_second"])
            print(f"| {name} | {found[0]:,.0f} | {found[1]:,.0f} | {found[1] / found[0]:.2f} |")
        tag = f"If-None-Match: {etag(ours)}"
        alone = load(feeds, ours, folder, tag)
        with slow_clients(ours):
            beside = load(feeds, ours, folder, tag)
        print(
            f"\n{SLOW_CLIENTS:,} slow clients: {beside['per_cpu_second'] / alone['per_cpu_second']:.2f} of the requests"
        )
        print(f"per processor second, 99th percentile {alone['p99']:.1f} ms alone, {beside['p99']:.1f} ms beside them")
        if minutes:
            poll(folder, feeds, ours, minutes)


if __name__ == "__main__":
    main()
