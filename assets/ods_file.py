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
    '<manifest:file-entry manifest:full-path="styles.xml" manifest:media-type="text/xml"/>'
    "</manifest:manifest>"
)


_SIDES: Final = {"portrait": (21, 29.7), "landscape": (29.7, 21)}
_LAYOUTS: Final = "".join(
    f'<style:page-layout style:name="{name}"><style:page-layout-properties'
    f' fo:page-width="{width}cm" fo:page-height="{height}cm" fo:margin="1.5cm"'
    f' style:print-orientation="{name}" style:scale-to-X="1" style:scale-to-Y="0"/>'
    "</style:page-layout>"
    for name, (width, height) in _SIDES.items()
)
_PAGES: Final = "".join(
    f'<style:master-page style:name="{name}" style:page-layout-name="{name}"/>' for name in _SIDES
)
_STYLES: Final = (
    f'<office:document-styles xmlns:office="{OASIS}:office:1.0" xmlns:style="{OASIS}:style:1.0"'
    f' xmlns:fo="{OASIS}:xsl-fo-compatible:1.0" office:version="1.3">'
    f"<office:automatic-styles>{_LAYOUTS}</office:automatic-styles>"
    f"<office:master-styles>{_PAGES}</office:master-styles></office:document-styles>"
)


def packed(content: str) -> bytes:
    """Return the spreadsheet whose content.xml is given; the same one has the same bytes.

    A table whose style names the master page `portrait` or `landscape` is printed so, and as wide
    as the paper.
    """
    made = BytesIO()
    parts = {"mimetype": _TYPE, "content.xml": content, "styles.xml": _STYLES,
             "META-INF/manifest.xml": _MANIFEST}  # fmt: skip
    with zipfile.ZipFile(made, "w") as file:
        for name, text in parts.items():
            # The type stands first and as it is, so that the file is known by its beginning.
            of = zipfile.ZipInfo(name, _DAY)
            of.compress_type = zipfile.ZIP_STORED if name == "mimetype" else zipfile.ZIP_DEFLATED
            file.writestr(of, text)
    return made.getvalue()
