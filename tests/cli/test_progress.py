"""What a run shows on a terminal, and what it does not show in a pipe."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path


def run(folder: Path, *, terminal: bool) -> str:
    """Run one night of the small scenario; return what it wrote to standard error."""
    command = [sys.executable, "-m", "wstdes.cli.main", "run", "small", "--nights", "2"]
    command += ["--no-report", "--out", str(folder)]
    if not terminal:
        return subprocess.run(command, capture_output=True, text=True, check=True).stderr
    ours, theirs = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "120"}
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=theirs, env=environment, close_fds=True
    )
    os.close(theirs)
    shown = b""
    while True:
        try:
            piece = os.read(ours, 65536)
        except OSError:
            break
        if not piece:
            break
        shown += piece
    os.close(ours)
    assert process.wait() == 0
    return shown.decode(errors="replace")


def test_a_terminal_shows_the_date_the_nights_and_the_speed(tmp_path: Path) -> None:
    shown = run(tmp_path / "run", terminal=True)
    assert "Simulating 2 nights" in shown
    assert "2041-03-02" in shown
    assert "2/2 nights" in shown
    assert "nights/s" in shown


def test_a_pipe_shows_no_progress(tmp_path: Path) -> None:
    assert run(tmp_path / "run", terminal=False) == ""
