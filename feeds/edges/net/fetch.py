"""Fetch a document that the user has named."""

import urllib.error
import urllib.request

from feeds.edges.net import web_check
from feeds.errors import FeedsError


def fetch_document(url: str) -> tuple[bytes, str]:
    """Return the content at an http(s) URL, and the URL that it came from after redirects.

    Raises:
        FeedsError: it cannot be fetched within `web_check.TIMEOUT`, or is larger than `web_check.MOST_BYTES`.
    """
    try:
        content, final_url = web_check.run_with_deadline(lambda: _get(url))
    except urllib.error.HTTPError as e:
        e.close()
        raise FeedsError(f"{url}: returns HTTP {e.code}") from e
    except web_check.ERRORS as e:
        reason = getattr(e, "reason", None) or e
        raise FeedsError(f"{url}: cannot be fetched: {reason}; save it as a file, and name that instead") from e
    if len(content) > web_check.MOST_BYTES:
        raise FeedsError(f"{url}: is larger than {web_check.MOST_BYTES:,} bytes")
    return content, final_url


def _get(url: str) -> tuple[bytes, str]:
    request = urllib.request.Request(url, headers=web_check.HEADERS)  # noqa: S310 - the caller allows http(s) only
    with urllib.request.urlopen(request, timeout=web_check.TIMEOUT) as response:  # noqa: S310 - as above
        return bytes(response.read(web_check.MOST_BYTES + 1)), str(response.geturl())
