#!/bin/sh
# Puts Muster in place as a service on this machine, or brings it up to date: as root, from a
# checkout in /opt/muster after `make setup`. It may be run again at any time; what somebody has
# set in /etc/muster stays as it is. docs/operations.md tells the whole way.
set -eu
umask 0022

fail() {
    echo "muster install: $1" >&2
    exit 1
}

here=$(dirname "$(realpath "$0")")
[ "$(id -u)" -eq 0 ] || fail "run this as root"
[ "$here" = /opt/muster/deploy ] || fail "the checkout is in ${here%/deploy}. Put it in /opt/muster, where the units look for it."
[ -x /opt/muster/.venv/bin/muster ] || fail "there is no /opt/muster/.venv yet. Run first: make -C /opt/muster setup"
for program in nginx pg_dump openssl sudo; do
    command -v "$program" >/dev/null || fail "there is no $program. Run first: apt-get install nginx postgresql openssl sudo"
done
cd "$here"

install -D -m 0644 sysusers.conf /usr/lib/sysusers.d/muster.conf
install -D -m 0644 tmpfiles.conf /usr/lib/tmpfiles.d/muster.conf
systemd-sysusers muster.conf
systemd-tmpfiles --create muster.conf
install -m 0755 muster /usr/local/bin/muster
install -D -m 0440 sudoers /etc/sudoers.d/muster
install -D -m 0644 journald.conf /etc/systemd/journald@muster.conf
install -D -m 0644 -t /etc/systemd/system systemd/muster*.service systemd/muster*.timer systemd/muster.target
install -D -m 0644 -t /etc/systemd/system/muster-.service.d systemd/muster-.service.d/10-common.conf
systemctl daemon-reload

settings=/etc/muster/muster.env
[ -e "$settings" ] || install -m 0640 -g muster muster.env.example "$settings"
chgrp muster "$settings"
chmod 0640 "$settings"
set -a
# shellcheck disable=SC1090
. "$settings"
set +a
case "$MUSTER_HOST $MUSTER_VIEW_HOST $MUSTER_PORTAL_HOST" in
*example.org*) fail "set MUSTER_HOST, MUSTER_VIEW_HOST, MUSTER_PORTAL_HOST and MUSTER_UI_URL in $settings, then run this again" ;;
esac

# Where the returns of each collection are dropped.
for collection in $(./as-service.sh ../.venv/bin/python -c "from schemas.collection import collection_files; print(*collection_files())"); do
    runuser -u muster-drop -- mkdir -p -m 2770 "$MUSTER_LAKE/landing/$collection"
done
# The process of the drop-off page writes there too.
./let-write.py muster-landing "$MUSTER_LAKE/landing" "$MUSTER_LAKE"/landing/*/

# A database on this machine; one elsewhere is made by whoever runs it.
as_postgres() {
    runuser -u postgres -- env -u PGUSER -u PGPASSWORD -u PGDATABASE "$@"
}
there_is() {
    [ -n "$(as_postgres psql --no-psqlrc -tA -d postgres -c "$1")" ]
}
case $PGHOST in
/*)
    there_is "select 1 from pg_roles where rolname = '$PGUSER'" || as_postgres createuser "$PGUSER"
    there_is "select 1 from pg_database where datname = '$PGDATABASE'" ||
        as_postgres createdb --owner "$PGUSER" "$PGDATABASE"
    ;;
esac

# nginx reads the passwords as its own user.
for who in team analysts; do
    [ -e "/etc/nginx/muster/$who.htpasswd" ] || install -D -m 0640 -g www-data /dev/null "/etc/nginx/muster/$who.htpasswd"
done
nginx/render.sh
missing=
for file in fullchain.pem privkey.pem; do
    [ -e "/etc/nginx/muster/tls/$file" ] || missing="$missing /etc/nginx/muster/tls/$file"
done
[ -z "$missing" ] || fail "the certificate is missing: put$missing in place, then run this again"
nginx -t

systemctl enable --now muster-code muster-daemon muster-web muster-view muster-portal muster-backup.timer muster.target
systemctl reload nginx
echo "Muster runs: https://$MUSTER_HOST and, read only, https://$MUSTER_VIEW_HOST; forces send at https://$MUSTER_PORTAL_HOST"
for who in team analysts; do
    [ -s "/etc/nginx/muster/$who.htpasswd" ] || echo "Nobody can sign in yet: add people to /etc/nginx/muster/$who.htpasswd"
done
