"""What a request would do, as a person can read it: labels instead of field names,
names instead of ids, text instead of JSON. Nothing here is HTML yet.
"""

import json
import unicodedata
from typing import NamedTuple

from odoo.exceptions import AccessError, MissingError
from odoo.tools import SQL, html2plaintext
from odoo.tools.misc import formatLang

from . import custom_tool_text

MAX_VALUE = 500
MAX_NAME = 200
MAX_LINKED = 20
# Letters that are not seen and change what is: direction, zero width, control.
INVISIBLE = ("Cc", "Cf", "Co", "Cs", "Zl", "Zp")


def plain(value, limit=MAX_VALUE):
    """One line of text that looks like what it is.

    :param int limit: in characters; what is longer says how long it is
    """
    text = "".join(
        " " if c in "\n\r\t" else c
        for c in str(value)
        if c in "\n\r\t" or unicodedata.category(c) not in INVISIBLE
    )
    text = " ".join(text.split())
    if len(text) <= limit:
        return text
    return f"{text[:limit]}… ({len(text)})"


def visible(text):
    """Text of several lines, in which every letter that is not seen is spelt out."""
    return "".join(
        c
        if c == "\n" or unicodedata.category(c) not in INVISIBLE
        else f"\\u{ord(c):04x}"
        for c in text
    )


class Shown(NamedTuple):
    """A value, and how a person reads it. Two that read the same may differ: the text
    may be cut."""

    raw: object
    text: str


class Describer:
    """Turns values of a model into texts.

    :param env: of whom the values are shown to, by language
    """

    def __init__(self, env):
        self.env = env

    def shown(self, record, name, value):
        return Shown(value, self.value(record, record._fields[name], value))

    def value(self, record, field, value):
        """:param value: as ``read`` gives it"""
        kind = field.type
        if kind == "boolean":
            return self.env._("Yes") if value else self.env._("No")
        if value in (False, None, "", []):
            return ""
        if kind == "many2one":
            return plain(value[1] if isinstance(value, list | tuple) else value)
        if kind in ("one2many", "many2many"):
            return self._linked(record, field, value)
        if kind == "selection":
            options = dict(field._description_selection(record.env))
            return plain(options.get(value, value))
        if kind == "html":
            return plain(html2plaintext(str(value)))
        if kind in ("float", "monetary") and self._digits(record, field):
            return formatLang(self.env, value, digits=self._digits(record, field))
        return plain(value)

    @staticmethod
    def _digits(record, field):
        if field.type == "monetary":
            return 2
        digits = field.get_digits(record.env)
        return digits and digits[1]

    def _linked(self, record, field, ids):
        others = record.env[field.comodel_name].browse(ids[:MAX_LINKED])
        # Names have commas in them.
        names = "; ".join(plain(o.display_name or o.id, 80) for o in others)
        if len(ids) > MAX_LINKED:
            names += self.env._(" and %s more", len(ids) - MAX_LINKED)
        return names

    def label(self, model, name):
        """The label of a field, in the reader's language."""
        field = model._fields[name]
        return plain(field._description_string(self.env) or name, 80)

    def change(self, model, change):
        """One record of a dry run (tools/records.py), with labels and texts."""
        before, after = change.get("before"), change.get("after")
        rows = []
        for name in after or before or ():
            if not (before and after) and self._is_derived(model, name):
                continue
            old, new = (before or {}).get(name), (after or {}).get(name)
            texts = [old.text if old else None, new.text if new else None]
            if old and new and texts[0] == texts[1]:
                texts[1] += self.env._(" (differs further on)")
            rows.append(
                {
                    "label": self.label(model, name),
                    "before": texts[0],
                    "after": texts[1],
                }
            )
        return {
            "id": change["id"],
            "name": plain(change["name"], MAX_NAME) or f"#{change['id']}",
            "rows": rows,
            "more": change.get("more_fields", 0),
        }

    @staticmethod
    def _is_derived(model, name):
        """Whether Odoo makes a value of others and a person cannot: of a record that
        comes or goes it says nothing new, but for sums and dates."""
        field = model._fields[name]
        numbers = ("integer", "float", "monetary", "date", "datetime")
        return bool(
            field.compute
            and field.readonly
            and field.type not in numbers
            and name != model._rec_name
        )

    # ---- what was sent ----

    def values(self, model, vals, depth=0):
        """The values of a create or write as they were sent: labels, names, and the
        lines that go along."""
        return [
            {"label": self.label(model, name)}
            | self._sent(model, model._fields[name], value, depth)
            for name, value in vals.items()
            if name in model._fields
        ]

    def _sent(self, model, field, value, depth):
        if field.type in ("one2many", "many2many") and isinstance(value, list):
            comodel = model.env[field.comodel_name]
            return {"rows": [self._command(comodel, c, depth + 1) for c in value]}
        if field.type == "many2one" and value:
            value = [value, self._name(model.env[field.comodel_name], value)]
        elif isinstance(value, dict | list):
            return {"rows": self.tree(value, depth + 1)}
        return {"text": self.value(model, field, value)}

    def _command(self, comodel, command, depth):
        code, ident, arg = (*command, 0, 0)[:3]
        words = (
            self.env._("New"),
            self.env._("Change"),
            self.env._("Delete"),
            self.env._("Take out"),
            self.env._("Put in"),
            self.env._("Take out all"),
            self.env._("Set to"),
        )
        named = {"label": words[code]}
        if code in (0, 1):
            named["rows"] = self.values(comodel, arg, depth)
            if ident:
                named["label"] += " " + self._name(comodel, ident)
        elif code != 5:
            ids = arg if code == 6 else [ident]
            named["text"] = ", ".join(self._name(comodel, i) for i in ids)
        return named

    def _name(self, model, ident):
        record = model.browse(ident)
        try:
            return plain(record.display_name or ident, 80)
        except (AccessError, MissingError):
            return f"{model._description} #{ident}"

    def tree(self, value, depth=0):
        """Any JSON value, as labels and texts."""
        items = value.items() if isinstance(value, dict) else enumerate(value, 1)
        rows = []
        for key, item in items:
            row = {"label": plain(key, 80)}
            if isinstance(item, dict | list) and item and depth < 4:
                row["rows"] = self.tree(item, depth + 1)
            else:
                row["text"] = plain(item if isinstance(item, str) else json.dumps(item))
            rows.append(row)
        return rows


def versions_of_call(env, call):
    """Which versions there are of all records that a call names, those included that
    its commands name.

    :return: ``{"model,id": version}``
    """
    named, linked, kwargs = {}, {}, call["kwargs"]
    if call["ids"]:
        named[call["model"]] = set(call["ids"])
    rows = kwargs.get("vals_list") or kwargs.get("vals_each") or [kwargs.get("vals")]
    for row in rows if isinstance(rows, list) else ():
        _add_named(env[call["model"]], row, named, linked)
    if call["method"] == "message_post" and isinstance(kwargs.get("partner_ids"), list):
        linked["res.partner"] = set(filter(_is_id, kwargs["partner_ids"]))
    for name, ident in custom_tool_text.pointed_at(env, call):
        linked.setdefault(name, set()).add(ident)
    found = {
        f"{name},{ident}": version
        for name, ids in named.items()
        for ident, version in versions(env[name].browse(sorted(ids))).items()
    }
    # Of what it only points at, the name is what was shown.
    for name, ids in linked.items():
        for record in env[name].sudo().browse(sorted(ids)).exists():
            found.setdefault(f"{name},{record.id}", _known_as(record))
    return found


def _is_id(value):
    return type(value) is int and 0 < value < 2**31


def _known_as(record):
    address = record.email or "" if record._name == "res.partner" else ""
    return f"{plain(record.display_name)} {plain(address)}"


def _add_named(model, vals, named, linked, depth=0):
    """Add the records that the commands of some values change, by model; and those that
    the values point at."""
    for name, commands in vals.items() if isinstance(vals, dict) else ():
        field = model._fields.get(name)
        if field is None or field.type not in ("many2one", "one2many", "many2many"):
            continue
        comodel = model.env[field.comodel_name]
        if field.type == "many2one":
            if _is_id(commands):
                linked.setdefault(comodel._name, set()).add(commands)
            continue
        for command in commands if isinstance(commands, list) else ():
            if not isinstance(command, list):
                continue
            code, ident, arg = (*command, 0, 0, 0)[:3]
            ids = arg if code == 6 and isinstance(arg, list) else [ident]
            # To tag a record is not to change the tag.
            if code in (1, 2) or (field.type == "one2many" and code in (3, 4, 6)):
                known = named.setdefault(comodel._name, set())
                known.update(filter(_is_id, ids))
            elif code in (4, 6):
                linked.setdefault(comodel._name, set()).update(filter(_is_id, ids))
            if code in (0, 1) and depth < 4:
                _add_named(comodel, arg, named, linked, depth + 1)


def versions(records):
    """Which version of each record's row there is now: whatever writes the row, the
    ORM or not, makes another one.

    :return: ``{id as text: version}``, without records that are gone
    """
    if records._abstract or not records._auto or not records.ids:
        return {}
    records.env.cr.flush()
    found = {}
    records.env.cr.execute(
        SQL(
            "SELECT id, xmin::text || '/' || ctid::text FROM %s WHERE id = ANY(%s)",
            SQL.identifier(records._table),
            records.ids,
        )
    )
    for ident, version in records.env.cr.fetchall():
        found[str(ident)] = version
    # The part of it that is kept in a parent's table (_inherits).
    for parent, name in records._inherits.items():
        owners = records.sudo().exists()
        theirs = versions(records.env[parent].browse(owners.mapped(name).ids))
        for owner in owners:
            found[str(owner.id)] += " " + theirs.get(str(owner[name].id), "")
    return found
