#!/bin/sh
# deps.sh PACKAGE... : installs the Debian packages that are missing, and says which.
set -eu
command -v dpkg-query >/dev/null 2>&1 || {
    echo "This is not a Debian or Ubuntu system: please install the equivalents of"
    echo "    $*"
    exit 0
}
missing=
for package in "$@"; do
    status=$(dpkg-query -W -f='${Status}' "$package" 2>/dev/null) || status=
    [ "$status" = "install ok installed" ] || missing="$missing $package"
done
[ -n "$missing" ] || exit 0
sudo=
if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null 2>&1 || {
        echo "Missing packages:$missing"
        echo "Install them as root: apt-get install$missing"
        exit 1
    }
    sudo=sudo
fi
echo "Installing missing packages:$missing"
$sudo apt-get update -qq
$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
