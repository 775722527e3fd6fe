"""Every release against its manifest, and the link that analysts read by."""

from collections.abc import Iterator

from assets.disclosure import ledger
from assets.doctor.examined import Examined, bad, ok, warn
from assets.lake import Lake
from assets.marts import damage
from schemas.errors import LakeError
from schemas.wording import plural


def releases(lake: Lake) -> Iterator[Examined]:
    """Say whether every release is whole, and which one is shown."""
    folders = [path for path in sorted(lake.releases.glob("[!.]*")) if path.is_dir()]
    damaged = {path: found for path in folders if (found := _damage(lake, path.name))}
    for path, found in damaged.items():
        more = f" and {len(found) - 3} more" if len(found) > 3 else ""
        yield bad(
            "releases",
            path,
            "; ".join(found[:3]) + more,
            "Move that folder away and: muster run. From the same receipts it is made anew.",
        )
    if not damaged:
        yield ok("releases", lake.releases, f"{plural(len(folders), 'release')}, each complete")
    yield _shown(lake)


def public_editions(lake: Lake) -> Iterator[Examined]:
    """Say whether the ledger of public editions is whole; nothing is entered or changed."""
    try:
        found = [
            f"lacks the public edition that release {release} shows"
            for release in ledger.missing(lake)
        ]
    except LakeError as error:
        found = [str(error)]
    for problem in found[:3]:
        yield bad("public editions", lake.public_editions, problem, ledger.RESTORE)
    if not found:
        number = len(ledger.entries(lake))
        yield ok("public editions", lake.public_editions, f"{plural(number, 'edition')}, all whole")


def _shown(lake: Lake) -> Examined:
    link, again = lake.marts, "Run again, which shows the newest release: muster run"
    if not link.is_symlink():
        if link.exists():
            return bad("marts", link, "is no link to a release", f"Move it away. {again}")
        return warn(
            "marts", link, "shows no release yet", "Drop returns in landing and: muster run"
        )
    target = link.resolve()
    if not target.is_dir():
        return bad("marts", link, f"points to {target.name}, which is gone", again)
    if target.parent != lake.releases.resolve():
        return bad("marts", link, f"points to {target}, which is no release", again)
    found = _damage(lake, target.name)
    if found:
        return bad("marts", link, f"shows {target.name}: {found[0]}", again)
    return ok("marts", link, f"shows {target.name}, complete")


def _damage(lake: Lake, name: str) -> list[str]:
    try:
        return damage(lake.releases / name)
    except LakeError as error:
        return [str(error)]
