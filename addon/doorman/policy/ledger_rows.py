"""What the ledger (ledger.py) notes of one record, and what differs in the end."""

from dataclasses import dataclass, field
from typing import NamedTuple

from .technical_models import TECHNICAL_COLUMNS

CREATED, WRITTEN, DELETED = "created", "updated", "deleted"


@dataclass(slots=True)
class Row:
    """What became of one record."""

    kind: str = WRITTEN
    # Whether the caller asked for it to be made or deleted.
    asked: bool = False
    # The database took it along.
    cascaded: bool = False
    # Odoo's own affair, by what only the record itself said.
    technical: bool = False
    # The fields that the caller gave values to, whether these differ or not.
    names: set = field(default_factory=set)
    # Of a record that was made: which version of it the change left.
    version: str = ""
    # The fields that a form has filled in, besides what the caller gave.
    filled: set = field(default_factory=set)
    # The fields that show a link which the caller made from the other side.
    linked: set = field(default_factory=set)
    # Field -> value in the database, of columns and many2many links that were written.
    before: dict = field(default_factory=dict)
    after: dict = field(default_factory=dict)


class Change(NamedTuple):
    """One record that differs."""

    model: str
    id: int
    kind: str
    # Fields that differ, the technical ones left out.
    fields: tuple
    # Of these, the ones that the caller gave values to.
    asked_fields: tuple
    # Whether the caller asked for this, wholly or in part.
    asked: bool
    cascaded: bool
    # Field -> what was in the database before, and what is now; of columns and links.
    values: dict = {}
    # The fields that a form has filled in, besides what the caller gave.
    filled: tuple = ()


def counts(name):
    return name not in TECHNICAL_COLUMNS


def is_column(model, name):
    known = model._fields.get(name)
    return known is not None and known.store and known.column_type


def _is_elsewhere(model, name):
    """Whether other records hold the values of a field. Links have been noted."""
    known = model._fields.get(name)
    if known is None or not counts(name) or known.type == "many2many" and known.store:
        return False
    return not is_column(model, name)


def differing_columns(row):
    """The columns and links of a record that differ."""
    return [
        name
        for name, old in row.before.items()
        # What has no column to compare was noted because it differs.
        if name not in row.after or row.after[name] != old
    ]


def differing(model, row, real):
    """The fields of a record that differ.

    :param bool real: whether anything differs in the database
    """
    if row.kind == CREATED:
        return tuple(sorted(row.names))
    if row.kind == DELETED:
        return ()
    names = differing_columns(row)
    if real:
        # The caller's values without a column of their own: other records hold them.
        names += [
            name
            for name in sorted(row.names)
            if name not in row.before and _is_elsewhere(model, name)
        ]
    return tuple(names)
