#!/usr/bin/env python3
"""Lets a group write in folders and in whatever is made there, beside who may already: an ACL.

As root: let-write.py GROUP FOLDER ... It says the same as setfacl -m g:GROUP:rwx,d:g:GROUP:rwx, for
a folder without an ACL or with this one, and needs no further package.
"""

import grp
import os
import stat
import struct
import sys
from pathlib import Path

OWNER, GROUP_OF_FILE, GROUP, MASK, OTHER = 0x01, 0x04, 0x08, 0x10, 0x20
NOBODY = 0xFFFFFFFF
ALL = 7


def let_write(folder: str, group: int) -> None:
    """Let the group write in a folder; who may read there still may, and no more."""
    mode = stat.S_IMODE(Path(folder).stat().st_mode)
    entries = [
        (OWNER, mode >> 6 & ALL, NOBODY),
        (GROUP_OF_FILE, 5, NOBODY),  # with an ACL, what the mode says of the group is the mask
        (GROUP, ALL, group),
        (MASK, ALL, NOBODY),
        (OTHER, mode & ALL, NOBODY),
    ]
    told = struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *entry) for entry in entries)
    for name in ("system.posix_acl_access", "system.posix_acl_default"):
        os.setxattr(folder, name, told)


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit("let-write: say let-write.py GROUP FOLDER ...")
    named = sys.argv[1]
    try:
        number = int(named) if named.isdigit() else grp.getgrnam(named).gr_gid
    except KeyError:
        sys.exit(f"let-write: there is no group {named}. Make it first: systemd-sysusers")
    for each in sys.argv[2:]:
        let_write(each, number)
