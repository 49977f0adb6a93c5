"""What a request would do, as a person can read it: labels instead of field names,
names instead of ids, text instead of JSON. Nothing here is HTML yet.
"""

import json
from typing import NamedTuple

from odoo.exceptions import AccessError, MissingError
from odoo.fields import Datetime
from odoo.tools.misc import formatLang

from ..policy.field_values import TEXTS
from ..policy.plain_text import from_html, plain, where_they_differ

MAX_NAME = 200
MAX_LINKED = 20


class Shown(NamedTuple):
    """A value, and how people read it, by language. Two that read the same may differ:
    the text may be cut."""

    raw: object
    texts: dict


class Describer:
    """Turns values of a model into texts.

    :param env: of whom the values are shown to, by language
    :param others: of people with other languages, who read them later: by then, the
        records that are named may be gone
    """

    def __init__(self, env, *others):
        self.env = env
        self.envs = (env, *others)

    def for_each(self):
        """The same, for each of these people."""
        return [
            Describer(env, *(other for other in self.envs if other is not env))
            for env in self.envs
        ]

    def shown(self, record, name, value):
        """A value of a field of a record, with its texts. See ``value``."""
        field = record._fields[name]
        texts = {}
        for reader in self.for_each():
            lang, own = reader.env.lang, value
            if field.type == "many2one" and value and lang != record.env.lang:
                linked = record.with_context(lang=lang)[name]
                own = (linked.id, linked.sudo().display_name)  # as read gives it
            texts[lang] = reader.value(record, field, own)
        return Shown(value, texts)

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
            options = dict(field._description_selection(self.env))
            return plain(options.get(value, value))
        if kind == "datetime":
            return self._time(value)
        if kind == "html":
            return plain(from_html(value))
        if kind in ("float", "monetary") and self._digits(record, field):
            return formatLang(self.env, value, digits=self._digits(record, field))
        return plain(value)

    def _time(self, value):
        """A time where the reader is, and the zone that this is."""
        try:
            found = Datetime.to_datetime(value)
            local = Datetime.context_timestamp(self.env["res.users"], found)
        except (ValueError, TypeError):
            return plain(value)  # as it was sent, with a zone of its own
        return plain(f"{Datetime.to_string(local)} ({self.env.tz})")

    @staticmethod
    def _digits(record, field):
        if field.type == "monetary":
            return 2
        digits = field.get_digits(record.env)
        return digits and digits[1]

    def _linked(self, record, field, ids):
        others = record.with_context(lang=self.env.lang).env[field.comodel_name]
        others = others.browse(ids[:MAX_LINKED])
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
        """One record of a dry run (tools/preview.py), with labels and texts."""
        before, after = change.get("before"), change.get("after")
        rows = []
        for name in after or before or ():
            if not (before and after) and self._is_derived(model, name):
                continue
            old, new = (before or {}).get(name), (after or {}).get(name)
            lang = self.env.lang
            texts = [one.texts[lang] if one else None for one in (old, new)]
            if old and new and isinstance(old.raw, str) and isinstance(new.raw, str):
                texts = self._texts(model._fields[name], old.raw, new.raw, texts)
            if old and new and texts[0] == texts[1]:
                texts[1] += self.env._(" (differs in what is not text)")
            rows.append(
                {
                    "label": self.label(model, name),
                    "before": texts[0],
                    "after": texts[1],
                }
            )
        told = {
            "id": change["id"],
            "name": plain(change["name"], MAX_NAME) or f"#{change['id']}",
            "rows": rows,
            "more": change.get("more_fields", 0),
        }
        if change.get("model"):
            told["model"] = change["model"]
            label = self.env["ir.model"]._get(change["model"]).name
            told["label"] = plain(label or change["model"], 80)
        if change.get("set_off"):
            told["set_off"] = True
        return told

    @staticmethod
    def _texts(field, old, new, texts):
        """What is shown of two long texts."""
        if field.type not in TEXTS:
            return texts
        if field.type == "html":
            old, new = from_html(old), from_html(new)
        return list(where_they_differ(old, new))

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
            value = [value, self.name(model.env[field.comodel_name], value)]
        elif isinstance(value, dict | list):
            return {"rows": self.tree(value, depth + 1)}
        return {"text": self.value(model, field, value)}

    def _command(self, comodel, command, depth):
        code, ident, arg = (*command, 0, 0)[:3]
        words = (
            self.env._("New"),
            self.env._("Change"),
            self.env._("Delete"),
            self.env._("Remove"),
            self.env._("Add"),
            self.env._("Remove all"),
            self.env._("Set to"),
        )
        named = {"label": words[code]}
        if code in (0, 1):
            named["rows"] = self.values(comodel, arg, depth)
            if ident:
                named["label"] += " " + self.name(comodel, ident)
        elif code != 5:
            ids = arg if code == 6 else [ident]
            named["text"] = ", ".join(self.name(comodel, i) for i in ids)
        return named

    def name(self, model, ident):
        """What a record is called, where the reader may read it."""
        record = model.with_context(lang=self.env.lang).browse(ident)
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
