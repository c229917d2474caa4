#!/bin/sh
# Installs packages of Debian or Ubuntu, as root or through sudo.
set -eu

command -v apt-get >/dev/null || { echo "This is no Debian or Ubuntu: install $* by its own means." >&2; exit 1; }
as_root=
[ "$(id -u)" -eq 0 ] || as_root=sudo
$as_root apt-get update -qq
DEBIAN_FRONTEND=noninteractive $as_root apt-get install -y -qq --no-install-recommends "$@"
