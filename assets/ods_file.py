"""Packs an OpenDocument spreadsheet: the parts that every one has, around what is in it."""

import zipfile
from io import BytesIO
from pathlib import Path
from typing import Final

from assets.html import render

_TYPE: Final = "application/vnd.oasis.opendocument.spreadsheet"
_DAY: Final = (2012, 1, 1, 0, 0, 0)
_XML: Final = Path(__file__).with_name("templates")


def packed(content: str) -> bytes:
    """Return the spreadsheet whose content.xml is given; the same one has the same bytes.

    A table whose style names the master page `portrait` or `landscape` is printed so, and as wide
    as the paper.
    """
    made = BytesIO()
    shared = {"styles.xml": "ods_styles.xml.j2", "META-INF/manifest.xml": "ods_manifest.xml.j2"}
    written = {name: render(_XML / of).rstrip("\n") for name, of in shared.items()}
    parts = {"mimetype": _TYPE, "content.xml": content, **written}
    with zipfile.ZipFile(made, "w") as file:
        for name, text in parts.items():
            # The type stands first and as it is, so that the file is known by its beginning.
            of = zipfile.ZipInfo(name, _DAY)
            of.compress_type = zipfile.ZIP_STORED if name == "mimetype" else zipfile.ZIP_DEFLATED
            file.writestr(of, text)
    return made.getvalue()
