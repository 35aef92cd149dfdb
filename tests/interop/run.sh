#!/bin/sh
# run.sh FOLDER PROGRAM: runs the tests that read what other libraries write and let them read what PROGRAM
# writes; the libraries are in the virtual environment in FOLDER (venv.sh).
set -eu
folder=$1
for test in tests/interop/test_*.py; do
    echo "$test"
    R2M=$2 R2M_CACHE=none PYTHONPATH=tests HF_HUB_OFFLINE=1 HF_HUB_DISABLE_PROGRESS_BARS=1 \
        TRANSFORMERS_VERBOSITY=error PYTHONWARNINGS=ignore \
        "$folder/bin/python" -m unittest "$test"
done
