"""The judgement of other programs on a letter: SpamAssassin, axe, the Nu Html Checker and html-validate."""

import json
import re
import shutil
import subprocess
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import unquote

from tests.browser import AXE, NODE_MODULES, axe_faults
from tests.gallery.letters import GalleryLetter
from tests.gallery.pictures import Variant, open_letter

if TYPE_CHECKING:
    from playwright.sync_api import Browser

_SCORE = re.compile(r"^Content analysis details:\s+\((-?[0-9.]+) points", re.MULTILINE)
_RULE = re.compile(r"^\s*-?\d+\.\d+ ([A-Z_0-9]+)", re.MULTILINE)
_VNU = NODE_MODULES / "vnu-jar" / "build" / "dist" / "vnu.jar"
#: What Outlook needs and no standard knows.
_FOR_OUTLOOK = re.compile("“(?:xmlns:[vo]|mso-[a-z-]+)”")
_RULES = Path(__file__).with_name("html-validate.json")
_HTML_VALIDATE = NODE_MODULES / "html-validate" / "bin" / "html-validate.mjs"

#: The faults of one letter: each message with the number of its places. None: the program is not installed.
Faults = Counter[str] | None


class Spam(NamedTuple):
    """SpamAssassin's judgement without network."""

    score: float
    rules: list[str]


def ask_spamassassin(letter: GalleryLetter, home: Path) -> Spam | None:
    """Return SpamAssassin's score and rules; None if it is not installed. *home* is for its state."""
    if shutil.which("spamassassin") is None:
        return None
    env = {"PATH": "/usr/bin:/bin", "HOME": str(home), "LC_ALL": "C.UTF-8"}
    done = subprocess.run(
        ["spamassassin", "-L", "-t"], input=letter.raw, capture_output=True, check=True, env=env, timeout=60
    )
    output = done.stdout.decode("utf-8", "replace")
    found = _SCORE.search(output)
    assert found is not None, output[-2000:]
    return Spam(float(found[1]), _RULE.findall(output[found.end() :]))


def ask_axe(browser: "Browser", letter: GalleryLetter, drawings: Path) -> Faults:
    """Return the rules of WCAG 2.2 at level A and AA that a letter breaks on a phone, in either scheme."""
    if not AXE.is_file():
        return None
    found: Counter[str] = Counter()
    for scheme in ("light", "dark"):
        page = open_letter(browser, letter, Variant(width=375, scheme=scheme), drawings)
        found.update(f"{rule}: {element}" for rule, element in axe_faults(page))
        page.context.close()
    return found


def ask_vnu(folders: Sequence[Path]) -> dict[str, Faults]:
    """Return the errors of the Nu Html Checker, but for those of Outlook's own names, by folder of a `letter.html`."""
    if not _VNU.is_file() or shutil.which("java") is None:
        return {folder.name: None for folder in folders}
    files = {str((folder / "letter.html").resolve()): folder.name for folder in folders}
    command = ["java", "-jar", str(_VNU), "--format", "json", "--exit-zero-always", *files]
    done = subprocess.run(command, capture_output=True, check=True, text=True, timeout=600)
    found: dict[str, Faults] = {folder.name: Counter() for folder in folders}
    for message in json.loads(done.stderr or done.stdout)["messages"]:
        if message["type"] == "error" and not _FOR_OUTLOOK.search(message["message"]):
            found[files[unquote(message["url"]).removeprefix("file:")]][message["message"]] += 1
    return found


def ask_html_validate(folders: Sequence[Path]) -> dict[str, Faults]:
    """Return the errors of html-validate by folder of a `letter.html`, with the rules that mail can keep."""
    if not _HTML_VALIDATE.is_file() or shutil.which("node") is None:
        return {folder.name: None for folder in folders}
    files = {str((folder / "letter.html").resolve()): folder.name for folder in folders}
    with tempfile.TemporaryDirectory() as scratch:
        report = Path(scratch) / "report.json"  # to a pipe it writes only the first 128 KiB
        command = ["node", str(_HTML_VALIDATE), "--config", str(_RULES), "--formatter", f"json={report}", *files]
        subprocess.run(command, capture_output=True, check=False, timeout=600)
        results = json.loads(report.read_text("utf-8"))
    found: dict[str, Faults] = {folder.name: Counter() for folder in folders}
    for result in results:
        for message in result["messages"]:
            found[files[result["filePath"]]][f"{message['ruleId']}: {message['message']}"] += 1
    return found
