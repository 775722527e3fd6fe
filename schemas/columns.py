"""The columns that several tables share, each described once.

Use: `force_code: str = shared.force_code(key=True)`. A column that one table alone has is
declared in that table.
"""

from functools import partial

from schemas import vocabulary as v
from schemas.contract import column

force_code = partial(column, "Three-letter code of the force", "code")
ons_code = partial(
    column, "ONS code of the police force area; null for British Transport Police", "code"
)
category = partial(column, "Subject of the investigation", "code", codes="investigations.category")
recipient = partial(
    column,
    "Who information was disclosed to; null where the category is not information disclosure",
    "code",
    codes="investigations.recipient",
    nullable=True,
)
media = partial(
    column,
    "Local or national media; null where the investigation does not concern the media",
    "code",
    codes="investigations.media",
    nullable=True,
)
outcome = partial(
    column,
    "Where the investigation stood at the census date",
    "code",
    codes="investigations.outcome",
)
body = partial(column, "Whose register: the police force or the police authority", "code")
basis = partial(
    column,
    "Where the value comes from: " + "; ".join(f"{k} = {text}" for k, text in v.BASES.items()),
    "code",
    isin=v.BASES,
)

measure = partial(column, "What is counted, in the vocabulary of the published figures", "code")
breakdown = partial(
    column,
    "Which part of it, as key=value pairs joined by ';'; empty for the whole",
    "code",
)
period = partial(
    column,
    "Which period: `collection` for the collection's own, or the name of a comparator period",
    "code",
)

receipt_id = partial(column, "Identifies the received file: the start of its sha256", "code")
sha256 = partial(column, "SHA-256 of the received file's bytes", "hash")
sheet = partial(column, "Sheet of the return", "code")
cell = partial(column, "Address of the cell in the received file, such as C7", "code")
row_code = partial(column, "Code of the row, from column A of the sheet", "code")
column_code = partial(column, "Code of the column, from the header row of the sheet", "code")
