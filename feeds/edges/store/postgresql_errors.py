"""Errors of PostgreSQL and libpq as ours: what is wrong, and what to do about it."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import unquote

from feeds.errors import FeedsError, LockedError, StoreError, StoreUnavailable

if TYPE_CHECKING:
    import psycopg

#: A pooler takes part in the protocol, and this is how it refuses an option.
POOLER_OPTIONS = (
    "a pooler such as PgBouncer does not pass on the `options` of the URL; set them for the role, such as"
    " `ALTER ROLE feeds SET search_path = newsletters`"
)
POOLER_MODE = "use session mode, or connect to the server itself"
#: Codes of https://www.postgresql.org/docs/current/errcodes-appendix.html: another process is in the way.
_LOCKED = re.compile("40001|40P01|55P03")
#: Codes and messages after which it is enough to try again. While a connection is made, an error has no code.
_UNAVAILABLE = re.compile(
    r"^(0800|53300|57P0|25P0[34])|starting up|shutting down|not yet accepting|in recovery mode|connection slots"
    r"|too many (clients|connections)|closed the connection|connection is (closed|lost)"
    r"|terminating connection|query_wait_timeout"
)
#: Code and message of an error -> what to do; the first that fits.
_ADVICE = {
    r"invalid (URI|percent|connection option|integer|port|value|\S+ value)|in URI\b": "correct the URL",
    r"^42501": "let the role own the schema and its tables, or name their owner in the URL",
    r"^25006": "connect as a role, and to a server, that may write: not to a replica",
    r"^57014": "raise the `statement_timeout` in the URL, or leave it out",
    r"^53100": "free space on the disk of the server",
    r"^22021|NUL \(0x00\)": "remove the NUL character from the text",
    r"failed to resolve host|could not translate host": "correct the host and the port in the URL",
    r"[Cc]onnection refused|socket .* No such file|time(d )?out|unreachable|No route to host": (
        "start the server, or correct the host and the port in the URL"
    ),
    r"password authentication failed": (
        "correct the role in the URL, or its password in ~/.pgpass, PGPASSWORD or the service file"
    ),
    r"no password supplied": "write the password of the role to ~/.pgpass, PGPASSWORD or a service file",
    r'role ".*" does not exist': "create it with `createuser --pwprompt`, or correct the URL",
    r'database ".*" does not exist': "create it with `createdb --encoding UTF8 --owner`, or correct the URL",
    r"not permitted to log in": "allow it with `ALTER ROLE ... LOGIN`, or correct the URL",
    r"permission denied for database": "allow it with `GRANT CONNECT ON DATABASE`, or correct the URL",
    r"pg_hba": "allow this role and this machine in the server's pg_hba.conf",
    r"definition of service|service file": "write it to ~/.pg_service.conf, or correct the URL",
    r"SSL|certificate": "correct `sslmode` and `sslrootcert` in the URL, or the certificate of the server",
    r"unsupported startup parameter": POOLER_OPTIONS,
    r"pooling mode": POOLER_MODE,
}
#: What libpq and psycopg write before the reason.
_BEFORE = re.compile(
    r"(connection (failed|is bad): )?(connection to server .* failed: (?=FATAL|ERROR))?((FATAL|ERROR): +)?"
)


@contextmanager
def translated_errors(url: str) -> Iterator[None]:
    """Make the errors of psycopg and SQLAlchemy ours during the block."""
    import psycopg

    try:
        yield
    except psycopg.Error as e:
        raise to_store_error(e, hide_password(url)) from e
    except Exception as e:
        if not type(e).__module__.startswith("sqlalchemy."):
            raise
        raise to_store_error(getattr(e, "orig", None) or e, hide_password(url)) from e


def to_store_error(error: "psycopg.Error | Exception", name: str) -> FeedsError:
    """Return our error for one of the driver; *name* is the store's."""
    code, reason = getattr(error, "sqlstate", None) or "", _first_line(error)
    found = f"{code} {reason}"
    if _LOCKED.match(code):
        return LockedError(f"{name}: another process has kept the database locked for long; try again later")
    if _UNAVAILABLE.search(found):
        return StoreUnavailable(f"{name}: the database cannot be used now: {reason}; try again later")
    advice = next((advice for pattern, advice in _ADVICE.items() if re.search(pattern, found)), "")
    return StoreError(f"{name}: the database cannot be used: {reason}{advice and '; '}{advice}")


def _first_line(error: Exception) -> str:
    first = next(iter(str(error).strip().splitlines()), type(error).__name__)
    # libpq quotes a URL that it cannot read.
    shown = re.sub(r"postgres(ql)?://\S+", lambda url: hide_password(url[0]), first)
    return _BEFORE.sub("", shown, count=1)


def hide_password(url: str) -> str:
    """Return a URL without its password, for messages. If it is ambiguous where the password ends, more is left out."""
    place, mark, query = re.sub(r"^([^:]+://[^:@/?]*):.*@", r"\1@", url, flags=re.DOTALL).partition("?")
    shown = (one for one in query.split("&") if "password" not in unquote(one.partition("=")[0]).lower())
    query = "&".join(shown)
    return f"{place}{mark if query else ''}{query}"
