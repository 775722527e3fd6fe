#!/bin/sh
# Writes nginx's configuration for the names in the environment below a folder, by default
# /etc/nginx. Listens on every address, on the usual ports, unless the environment says otherwise.
set -eu

: "${MUSTER_HOST:?is not set: the name of the UI of the data team}"
: "${MUSTER_VIEW_HOST:?is not set: the name of the read-only UI}"
: "${MUSTER_PORTAL_HOST:?is not set: the name of the drop-off page}"
from=$(dirname "$0")
to=${1:-/etc/nginx}

render() {
    sed -e "s|@MUSTER_HOST@|$MUSTER_HOST|g" \
        -e "s|@MUSTER_VIEW_HOST@|$MUSTER_VIEW_HOST|g" \
        -e "s|@MUSTER_PORTAL_HOST@|$MUSTER_PORTAL_HOST|g" \
        -e "s|@HTTP@|${MUSTER_HTTP:-80}|g" \
        -e "s|@HTTPS@|${MUSTER_HTTPS:-443}|g" \
        -e "s|@WEB@|${MUSTER_WEB:-127.0.0.1:3000}|g" \
        -e "s|@VIEW@|${MUSTER_VIEW:-127.0.0.1:3001}|g" \
        -e "s|@PORTAL@|${MUSTER_PORTAL:-127.0.0.1:3002}|g" \
        -e "s|@LOGS@|${MUSTER_NGINX_LOGS:-/var/log/nginx}|g" \
        -e "s|@NGINX@|$to|g" \
        "$from/$1.in" >"$2"
}

mkdir -p "$to/conf.d" "$to/snippets"
render muster.conf "$to/conf.d/muster.conf"
render muster-tls.conf "$to/snippets/muster-tls.conf"
render muster-ui.conf "$to/snippets/muster-ui.conf"
