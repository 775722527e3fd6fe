#!/bin/sh
# Runs a command as the service account with the service's settings: as-service.sh COMMAND ...
set -eu

[ "$(id -un)" = muster ] || exec runuser -u muster -- "$0" "$@"
umask 0027
set -a
# shellcheck disable=SC1091
. /etc/muster/muster.env
set +a
exec "$@"
