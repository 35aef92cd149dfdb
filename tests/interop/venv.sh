#!/bin/sh
# venv.sh FOLDER: installs the libraries of others into a virtual environment in FOLDER, once.
set -eu
wanted="torch==2.13.0 numpy safetensors peft pillow mergekit"
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
    sed -En 's/^(torch|numpy|safetensors|peft|transformers|huggingface_hub|pillow|mergekit) +/  \1 /p'
