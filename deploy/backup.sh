#!/bin/sh
# Backs up the database and the lake to a new folder in MUSTER_BACKUP, and keeps the newest
# MUSTER_BACKUP_KEEP of them. Run by muster-backup.timer, while everything goes on.
#
# Not in it: landing (what was taken in lies in raw), work (made again from raw), the settings and
# certificates in /etc/muster.
set -eu
umask 0077

: "${MUSTER_LAKE:?is not set: the folder of the lake}"
: "${MUSTER_BACKUP:?is not set: the folder for backups}"
: "${PGDATABASE:?is not set: the name of the database}"
keep=${MUSTER_BACKUP_KEEP:-30}

fail() {
    echo "muster backup: $1" >&2
    exit 1
}

[ "$keep" -ge 1 ] || fail "MUSTER_BACKUP_KEEP is '$keep'. Set it to a number of backups, 1 or more."
cd "$MUSTER_LAKE"
mkdir -p "$MUSTER_BACKUP"
exec 8>>"$MUSTER_BACKUP/.lock"
flock --nonblock 8 || fail "another backup is being made in $MUSTER_BACKUP. Wait until it has ended."
partial=$MUSTER_BACKUP/.partial
rm -rf "$partial"
mkdir "$partial"

# With the lake held no run adds a receipt whose file has been passed already. Whoever is told that
# it is held reads this process's number in the lock.
exec 9>>.lock
flock --shared --wait 7200 9 || fail "a run has held the lake for two hours. See what it does, then back up again."
echo "$$" >.lock

pg_dump --format=custom --file="$partial/database.dump"
pg_restore --list "$partial/database.dump" >/dev/null || fail "the dump cannot be read back. Back up again."

# marts comes last, so that what it points to is there before it when this is restored.
set --
for folder in */; do
    [ -d "$folder" ] || continue
    case $folder in
    landing/ | work/ | dagster/ | replaced-*/ | marts/) ;;
    *) set -- "$@" "${folder%/}" ;;
    esac
done
[ ! -d marts ] || set -- "$@" marts
[ $# -gt 0 ] || fail "there is nothing in the lake $MUSTER_LAKE. Is MUSTER_LAKE right?"
# 1: something was replaced meanwhile, as the outbox may be. Files get their place by a rename, so
# what was read of them is whole.
tar --create --file="$partial/lake.tar" --sort=name "$@" || [ $? -eq 1 ]

(cd "$partial" && sha256sum database.dump lake.tar >SHA256SUMS)
sync "$partial"/*
named() { made=$MUSTER_BACKUP/$(date -u +%Y-%m-%dT%H%M%SZ); }
named
while [ -e "$made" ]; do sleep 1 && named; done
mv --no-target-directory "$partial" "$made"

# By name, not by age: a clock that is wrong must not delete the good ones.
find "$MUSTER_BACKUP" -mindepth 1 -maxdepth 1 -type d -name '20*Z' | sort | head -n "-$keep" |
    while read -r old; do rm -rf "$old"; done
echo "Backed up to $made ($(du -sh "$made" | cut -f1))"
