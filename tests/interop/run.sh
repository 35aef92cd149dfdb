#!/bin/sh
# run.sh FOLDER PROGRAM: installs the libraries of others into a virtual environment in FOLDER, once, and
# runs the tests that read what they write and let them read what PROGRAM writes.
set -eu
wanted="torch==2.13.0 numpy safetensors peft"
folder=$1
if [ "$(cat "$folder/wanted" 2>/dev/null)" != "$wanted" ]; then
    echo "Installing into $folder: $wanted and what they need"
    rm -rf "$folder"
    python3 -m venv "$folder"
    # shellcheck disable=SC2086
    "$folder/bin/python" -m pip install --quiet --disable-pip-version-check $wanted
    echo "$wanted" >"$folder/wanted"
fi
"$folder/bin/python" -m pip list --disable-pip-version-check |
    sed -En 's/^(torch|numpy|safetensors|peft|transformers|huggingface_hub) +/  \1 /p'
for test in tests/interop/test_*.py; do
    echo "$test"
    R2M=$2 PYTHONPATH=tests HF_HUB_OFFLINE=1 HF_HUB_DISABLE_PROGRESS_BARS=1 \
        TRANSFORMERS_VERBOSITY=error PYTHONWARNINGS=ignore \
        "$folder/bin/python" -m unittest "$test"
done
