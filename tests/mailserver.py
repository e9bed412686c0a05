"""A real Postfix that accepts mail for one domain, and a real Dovecot that serves it by IMAP."""

import os
import pwd
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

DOMAIN = "readers.test"
PASSWORD = "letters"
#: Why they cannot run here; empty if they can.
MISSING = (
    "Postfix and Dovecot are not installed"
    if shutil.which("postfix") is None or shutil.which("dovecot") is None
    else "Postfix starts as root only"
    if os.geteuid()
    else ""
)
#: It logs to syslog, if there is one: Postfix's own log daemon may start too late, and everything else waits for it.
_MAIN = """compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
myhostname = mx.{domain}
mydestination =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
default_transport = error:nothing leaves this machine
relay_transport = error:nothing leaves this machine
virtual_mailbox_domains = {domain}
virtual_mailbox_base = {folder}/mail
virtual_mailbox_maps = static:all/
virtual_uid_maps = static:{uid}
virtual_gid_maps = static:{gid}
virtual_mailbox_limit = 0
message_size_limit = 20000000
smtputf8_enable = yes
alias_maps =
local_recipient_maps =
"""
_MASTER = """127.0.0.1:{port} inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
error unix - - n - - error
retry unix - - n - - error
proxymap unix - - n - - proxymap
proxywrite unix - - n - 1 proxymap
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
"""
_DOVECOT = """base_dir = {folder}/run
state_dir = {folder}/run
log_path = {folder}/dovecot.log
protocols = imap
ssl = no
disable_plaintext_auth = no
listen = 127.0.0.1
default_internal_user = {user}
default_internal_group = {group}
default_login_user = {user}
mail_location = maildir:{folder}/mail/all
first_valid_uid = 1
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={folder}/home
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {port}
  }}
}}
service anvil {{
  chroot =
}}
"""


@dataclass(frozen=True)
class MailServer:
    """The ports of both."""

    smtp: int
    imap: int


@contextmanager
def running(folder: Path, settings: str = "") -> Iterator[MailServer]:
    """Run both with their files in *folder*; *settings* are added to those of Postfix."""
    server = MailServer(_free_port(), _free_port())
    nobody = pwd.getpwnam("nobody")
    values = {"folder": folder, "domain": DOMAIN, "uid": nobody.pw_uid, "gid": nobody.pw_gid, "password": PASSWORD}
    values |= {"user": "nobody", "group": "nogroup"}
    for name in ("config", "queue", "data", "mail", "run", "home"):
        (folder / name).mkdir()
    for name in ("mail", "home"):
        os.chown(folder / name, nobody.pw_uid, nobody.pw_gid)
    for parent in (folder, *folder.parents[:4]):
        parent.chmod(parent.stat().st_mode | 0o055)
    shutil.chown(folder / "data", "postfix")
    config = folder / "config"
    (config / "main.cf").write_text(_MAIN.format(**values) + settings, "utf-8")
    (config / "master.cf").write_text(_MASTER.format(port=server.smtp), "utf-8")
    (folder / "dovecot.conf").write_text(_DOVECOT.format(port=server.imap, **values), "utf-8")
    _run("postfix", "-c", str(config), "start")
    dovecot = subprocess.Popen(["dovecot", "-F", "-c", str(folder / "dovecot.conf")])
    try:
        for port in (server.smtp, server.imap):
            _wait_for(port)
        yield server
    finally:
        dovecot.terminate()
        dovecot.wait(20)
        _run("postfix", "-c", str(config), "stop")


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


def _run(*words: str) -> None:
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=60)
    if done.returncode:
        raise RuntimeError(f"{' '.join(words)}: {done.stderr}")


def _wait_for(port: int) -> None:
    for _ in range(200):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise TimeoutError(f"nothing listens on port {port}")
