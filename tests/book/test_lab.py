"""`make lab` as a reader starts it: every notebook of the course can be opened there."""

import re
import socket
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = [path.relative_to(ROOT).as_posix() for path in sorted(ROOT.glob("*/[0-9a-z]*.ipynb"))]
COMMAND = re.search(r"^lab:.*\n\t\$\(ENV\)/bin/jupyter (.*)$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M)[1]
TOKEN = "a-token-of-this-test"


def free_port():
    with closing(socket.socket()) as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def status(address, server):
    """Return what the server answers to a request, once it is there."""
    for _ in range(600):
        if server.poll() is not None:
            pytest.fail(f"`jupyter {COMMAND}` ended with {server.returncode}")
        try:
            with urlopen(address) as answer:
                return answer.status
        except URLError as error:
            if hasattr(error, "code"):
                return error.code
            time.sleep(0.1)  # between two tries; a server that never comes ends the loop
    pytest.fail("the server did not come")


def test_lab_opens_every_notebook(tmp_path):
    port = free_port()
    own = [f"--port={port}", "--no-browser", f"--IdentityProvider.token={TOKEN}", "--ServerApp.port_retries=0"]
    command = [sys.executable, "-m", "jupyter", *COMMAND.split(), "--allow-root", *own]
    server = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        found = {
            name: status(f"http://127.0.0.1:{port}/api/contents/{name}?content=0&token={TOKEN}", server)
            for name in NOTEBOOKS
        }
    finally:
        server.terminate()
        server.wait()
    assert {name.split("/")[0] for name in found} >= {"chapters", "exercises", "reference"}
    assert found == dict.fromkeys(NOTEBOOKS, 200)
