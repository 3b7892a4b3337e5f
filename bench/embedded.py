"""The embedded system at rest: seconds until it serves, memory and CPU of all its processes.

One guide is pressed first, so that the warm press is part of what is measured. Prints one JSON
line; memory is the resident size of every process in the group, in MB (proportional where shared).
"""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

REST_SECONDS = 20.0
FUNNEL = Path(sys.executable).with_name("funnel")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until_served(url: str, process: subprocess.Popen[bytes]) -> None:
    while process.poll() is None:
        try:
            urllib.request.urlopen(url, timeout=1).close()
        except OSError:
            time.sleep(0.02)
        else:
            return
    raise SystemExit("funnel up stopped before it served a page")


def family(leader: int) -> list[int]:
    """A process and everything that descends from it."""
    threads = Path(f"/proc/{leader}/task").iterdir()
    children = [child for each in threads for child in (each / "children").read_text().split()]
    return [leader, *(pid for child in children for pid in family(int(child)))]


def memory_mb(pids: list[int]) -> float:
    """Proportional set size: memory that processes share is counted once."""
    total = 0
    for pid in pids:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                total += int(line.split()[1])
    return total / 1024


def cpu_seconds(pids: list[int]) -> float:
    ticks = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def press_one_guide(base: str, folder: Path) -> float:
    """Ask and confirm through the pages; seconds from the press to the mail with the guide."""
    from tests.support.visitor import Visitor

    visitor = Visitor(base, folder / "var" / "mailbox")
    visitor.ask("ada@example.org", "Ada", series=True)
    confirm_path = visitor.wait_for_link("ada@example.org", "/confirm/")
    started = time.monotonic()
    visitor.press(confirm_path)
    visitor.wait_for_link("ada@example.org", "/guide/")
    return time.monotonic() - started


def main() -> None:
    port = free_port()
    base = f"http://127.0.0.1:{port}"
    with tempfile.TemporaryDirectory() as name:
        env = {**os.environ, "LISTEN": f"127.0.0.1:{port}", "BASE_URL": base}
        started = time.monotonic()
        process = subprocess.Popen([FUNNEL, "up"], cwd=name, env=env, stdout=subprocess.DEVNULL)
        try:
            wait_until_served(base, process)
            ready = time.monotonic() - started
            to_guide = press_one_guide(base, Path(name))
            pids = family(process.pid)
            before = cpu_seconds(pids)
            time.sleep(REST_SECONDS)
            busy = (cpu_seconds(pids) - before) / REST_SECONDS
            result = {
                "bench": "embedded",
                "ready_seconds": round(ready, 2),
                "confirm_to_guide_seconds": round(to_guide, 2),
                "memory_mb": round(memory_mb(pids), 1),
                "idle_cpu_percent": round(busy * 100, 2),
                "processes": len(pids),
            }
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(30)
    print(json.dumps(result))


if __name__ == "__main__":
    main()
