"""Tap and target as Meltano runs them: two processes connected by a pipe. Prints the sum of both memory peaks.

Runs in its own environment and imports nothing of this repository.
"""

import json
import os
import subprocess
import sys
from pathlib import Path


def main() -> None:
    job = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    folder, here = Path(job["dir"]), Path(__file__).parent
    target_config = {"filepath": str(folder / "singer.duckdb"), "default_target_schema": "ion"}
    (folder / "tap.json").write_text(json.dumps({"job": sys.argv[1]}), encoding="utf-8")
    (folder / "target.json").write_text(json.dumps(target_config), encoding="utf-8")
    tap = subprocess.Popen(
        [sys.executable, here / "singer_tap.py", "--config", folder / "tap.json"], stdout=subprocess.PIPE
    )
    target = subprocess.Popen(
        [Path(sys.executable).with_name("target-duckdb"), "--config", folder / "target.json"],
        stdin=tap.stdout,
        stdout=subprocess.DEVNULL,
    )
    assert tap.stdout
    tap.stdout.close()
    peaks, failed = 0, False
    for child in (tap, target):
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        peaks += usage.ru_maxrss
        failed |= child.returncode != 0
    print(json.dumps({"peak_kb": peaks}))
    sys.exit(failed)


if __name__ == "__main__":
    main()
