"""Running what is measured: generated models, commands with their memory, rows of C programs."""

import collections
import json
import os
import re
import resource
import shutil
import subprocess
import time
from pathlib import Path

MIB = 1 << 20


Run = collections.namedtuple("Run", "seconds memory processor")


class Bench:
    """Where the programs and the generated files are."""

    def __init__(self, build, folder, peer):
        self.build, self.folder, self.peer = build, folder, peer
        self.program = build / "r2m"
        self.out = folder / "out.safetensors"

    def model(self, name, specialists, ending="safetensors"):
        """The folder of a generated model; its files are made once and kept."""
        folder = self.folder / name
        if not (folder / f"s{specialists}.{ending}").exists():
            if shutil.disk_usage(self.folder).free < 12e9:
                raise SystemExit("bench needs 12 GB of free disk space for generated files")
            folder.mkdir(parents=True, exist_ok=True)
            subprocess.run([self.build / "tests/bench/generate", name, folder, str(specialists),
                            ending], check=True)
        return folder

    def source(self, name, specialists, ending="safetensors"):
        """The command line's names for a model."""
        folder = self.model(name, specialists, ending)
        return ["--base", folder / f"base.{ending}",
                *(folder / f"s{i}.{ending}" for i in range(1, specialists + 1))]

    def rows(self, program, *arguments):
        """The rows that a program prints, NAME VALUE UNIT a line, underscores for spaces."""
        command = [program, *map(str, arguments)]
        lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        fields = (line.split() for line in lines.splitlines())
        return [(f[0].replace("_", " "), float(f[1]), f[2] if len(f) > 2 else "") for f in fields]

    def stages(self, *arguments):
        return self.rows(self.build / "tests/bench/stages", *arguments)


def processor_seconds():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def run(command, output=None):
    """Seconds of a command, its largest resident memory beside mapped files in MiB, sampled, and
    its seconds of processor time. The files that it writes are removed."""
    start, before, peak = time.monotonic(), processor_seconds(), 0
    process = subprocess.Popen([str(c) for c in command], stdout=subprocess.DEVNULL)
    while process.poll() is None:
        try:
            status = Path(f"/proc/{process.pid}/status").read_text()
        except OSError:
            break
        found = re.search(r"RssAnon:\s+(\d+)", status)
        peak = max(peak, int(found[1]) if found else 0)
        time.sleep(0.005)
    if process.wait() != 0:
        raise SystemExit(f"failed: {' '.join(map(str, command))}")
    seconds = time.monotonic() - start
    if output is not None:
        shutil.rmtree(output) if output.is_dir() else os.unlink(output)
    return Run(seconds, peak / 1024, processor_seconds() - before)


def json_of(command):
    return json.loads(subprocess.run([str(c) for c in command], check=True, capture_output=True,
                                     text=True).stdout)
