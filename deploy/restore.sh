#!/bin/sh
# Restores the database, the lake, or both from a backup: restore.sh FOLDER [database | lake]
#
# As the service account, with the services stopped. What stands in the lake is moved aside into
# replaced-<time> there, never deleted; the database is replaced in one transaction.
set -eu
umask 0027

fail() {
    echo "muster restore: $1" >&2
    exit 1
}

[ $# -ge 1 ] || fail "say which backup: restore.sh FOLDER [database | lake]"
from=$(realpath "$1")
what=${2:-both}
case $what in
database | lake | both) ;;
*) fail "'$what' cannot be restored. Say database or lake, or nothing for both." ;;
esac
: "${MUSTER_LAKE:?is not set: the folder of the lake}"
: "${PGDATABASE:?is not set: the name of the database}"

(cd "$from" && sha256sum --check --strict --quiet SHA256SUMS) ||
    fail "$from is not whole. Take another backup; nothing has been changed."

if [ "$what" != lake ]; then
    others=$(psql --no-psqlrc --tuples-only --no-align --command="
        select count(*) from pg_stat_activity
        where datname = current_database() and pid <> pg_backend_pid()")
    [ "$others" -eq 0 ] ||
        fail "the database is in use ($others connections). Stop the services: systemctl stop muster.target"
fi
if [ "$what" != database ]; then
    mkdir -p "$MUSTER_LAKE"
    cd "$MUSTER_LAKE"
    exec 9>>.lock
    flock --exclusive --nonblock 9 || fail "a run holds the lake. Stop the services: systemctl stop muster.target"
    aside=replaced-$(date -u +%Y-%m-%dT%H%M%SZ)
    for folder in $(tar --list --file="$from/lake.tar" | cut -d/ -f1 | sort -u); do
        mkdir -p "$folder"
        if [ -n "$(ls -A "$folder")" ]; then
            mkdir -p "$aside/$folder"
            find "$folder" -mindepth 1 -maxdepth 1 -exec mv --target-directory="$aside/$folder" {} +
        fi
    done
    tar --extract --preserve-permissions --file="$from/lake.tar"
    echo "Restored the lake $MUSTER_LAKE"
    [ ! -d "$aside" ] || echo "  what was there before lies in $MUSTER_LAKE/$aside"
fi
if [ "$what" != lake ]; then
    pg_restore --clean --if-exists --no-owner --single-transaction --dbname="$PGDATABASE" "$from/database.dump"
    echo "Restored the database $PGDATABASE"
fi
echo "Next: muster releases verify && muster doctor, then systemctl start muster.target and muster run"
