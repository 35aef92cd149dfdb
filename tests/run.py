#!/usr/bin/python3
"""Runs every test: the cmocka programs below BUILD/tests and the unittest files in tests/.

    run.py BUILD [PATTERN]      PATTERN: only tests whose path contains it

With VALGRIND=1 in the environment the cmocka programs of the libraries run under valgrind. The last line counts them: "N passed, N failed".
"""

import os
import re
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

VALGRIND = ["valgrind", "--quiet", "--error-exitcode=9", "--leak-check=full",
            "--errors-for-leak-kinds=definite"] if os.environ.get("VALGRIND") else []
TIME_LIMIT = 1200  # seconds for one program: a hang is a failure, slowness is not


def cmocka_counts(output):
    passed = len(re.findall(r"^ok \d+", output, re.M))
    failed = len(re.findall(r"^not ok \d+", output, re.M))
    return passed, failed


def unittest_counts(output):
    ran = re.search(r"^Ran (\d+) test", output, re.M)
    bad = sum(int(n) for n in re.findall(r"(?:failures|errors)=(\d+)", output))
    skipped = sum(int(n) for n in re.findall(r"skipped=(\d+)", output))
    return (int(ran[1]) - bad - skipped if ran else 0), bad


def run(test, build):
    """Returns (name, passed, failed, seconds, output of a failure)."""
    env = dict(os.environ, R2M=str(build / "r2m"), CMOCKA_MESSAGE_OUTPUT="TAP", PYTHONPATH="tests",
               ASAN_OPTIONS="abort_on_error=0:detect_leaks=1", PYTHONDONTWRITEBYTECODE="1",
               OPENBLAS_NUM_THREADS="1", R2M_CACHE="none")
    is_python = test.suffix == ".py"
    command = [sys.executable, "-m", "unittest", str(test)] if is_python else [*VALGRIND, str(test)]
    start = time.monotonic()
    try:
        done = subprocess.run(command, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=TIME_LIMIT)
        status, output = done.returncode, done.stdout.decode(errors="replace")
    except subprocess.TimeoutExpired as late:
        status, output = -1, (late.stdout or b"").decode(errors="replace") + "\ntime limit reached"
    passed, failed = (unittest_counts if is_python else cmocka_counts)(output)
    if status != 0 and failed == 0:
        failed = 1  # crashed, leaked or never started
    if passed + failed == 0 and "skipped=" not in output:
        failed = 1  # a test file without a test
    return test, passed, failed, time.monotonic() - start, output if failed else ""


def take_signals():
    """What a caller ignores, as shells and nohup do for what runs in the background, is ignored in
    every program below; tests that send signals need the defaults."""
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGQUIT, signal.SIGTERM, signal.SIGPIPE):
        signal.signal(number, signal.SIG_DFL)


def main():
    take_signals()
    build = Path(sys.argv[1])
    pattern = sys.argv[2] if len(sys.argv) > 2 else ""
    programs = [p for p in (build / "tests").rglob("test_*") if not p.suffix]
    # A binary left over from a deleted source is not a test any more.
    programs = [p for p in programs if p.relative_to(build).with_suffix(".c").exists()]
    scripts = Path("tests").rglob("test_*.py")
    if VALGRIND:  # the screen has its own processes and time; scripts start programs
        programs, scripts = [p for p in programs if "tui" not in p.parts], []
    tests = sorted(t for t in [*programs, *scripts] if pattern in str(t))
    passed = failed = 0
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        for test, good, bad, seconds, output in pool.map(lambda t: run(t, build), tests):
            print(f"{'FAIL' if bad else 'ok':4} {str(test):60} {good:4} tests {seconds:7.1f} s", flush=True)
            if output:
                print(output, flush=True)
            passed, failed = passed + good, failed + bad
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
