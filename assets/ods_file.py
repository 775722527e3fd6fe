"""Packs an OpenDocument spreadsheet: the parts that every one has, around what is in it."""

import zipfile
from io import BytesIO
from typing import Final

_TYPE: Final = "application/vnd.oasis.opendocument.spreadsheet"
_DAY: Final = (2012, 1, 1, 0, 0, 0)
OASIS: Final = "urn:oasis:names:tc:opendocument:xmlns"
_MANIFEST: Final = (
    f'<manifest:manifest xmlns:manifest="{OASIS}:manifest:1.0" manifest:version="1.3">'
    f'<manifest:file-entry manifest:full-path="/" manifest:media-type="{_TYPE}"/>'
    '<manifest:file-entry manifest:full-path="content.xml" manifest:media-type="text/xml"/>'
    "</manifest:manifest>"
)


def packed(content: str) -> bytes:
    """Return the spreadsheet whose content.xml is given; the same one has the same bytes."""
    made = BytesIO()
    parts = {"mimetype": _TYPE, "content.xml": content, "META-INF/manifest.xml": _MANIFEST}
    with zipfile.ZipFile(made, "w") as file:
        for name, text in parts.items():
            # The type stands first and as it is, so that the file is known by its beginning.
            of = zipfile.ZipInfo(name, _DAY)
            of.compress_type = zipfile.ZIP_STORED if name == "mimetype" else zipfile.ZIP_DEFLATED
            file.writestr(of, text)
    return made.getvalue()
