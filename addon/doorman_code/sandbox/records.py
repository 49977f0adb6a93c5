"""The records that the code of ``run_python`` works with.

They look like Odoo's, and hold no more than a model's name and ids: whatever they are
asked for becomes a question to Odoo (``ask``). There is nothing behind them to get at.
"""

from values import Known, sent

PREFETCH = 500
MAX_IDS = 100  # of records, where ``result`` is some
LINKS = ("many2one", "one2many", "many2many")


class Shell:
    """What Odoo says, asked for once."""

    def __init__(self, ask):
        self._ask = ask
        self._facts = {}
        # What was read, until something is changed: {(model, id): {field: value}}
        self.known = {}

    def fact(self, question, **of):
        """What stays as it is while the code runs."""
        key = (question, *of.values())
        if key not in self._facts:
            self._facts[key] = self._ask(question, **of)
        return self._facts[key]

    def do(self, model, method, ids=None, /, **kwargs):
        """One step, with the checks of a tool call.

        :return: the answer of the operation
        """
        return self._done(
            "do", model=model, method=method, ids=sent(ids), kwargs=sent(kwargs)
        )

    def call(self, model, method, ids, kwargs):
        """The same for a business method."""
        return self._done(
            "call", model=model, method=method, ids=sent(ids), kwargs=sent(kwargs)
        )

    def fetch(self, model, ident, others, name):
        """Read a field of a record, and of others that are likely to be next."""
        rows, missing = self._ask(
            "fetch", model=model, ident=ident, others=others, name=name
        )
        for row in rows:
            self.known.setdefault((model, row["id"]), {})[name] = row[name]
        return missing

    def _done(self, question, **facts):
        answer, changed = self._ask(question, **facts)
        if changed:
            self.known.clear()
        return answer


class Environment(Known):
    """``env`` of the code."""

    def __init__(self, ask, user):
        self._shell = Shell(ask)
        self._user = user

    def __repr__(self):
        return "env"

    def _told(self):
        return "(Environment)"

    def __getitem__(self, name):
        return Records(self._shell, self._shell.fact("model", name=name), ())

    def __contains__(self, name):
        return isinstance(name, str) and self._shell.fact("may_use", name=name)

    @property
    def uid(self):
        return self._user["uid"]

    @property
    def user(self):
        return self["res.users"].browse(self.uid)

    @property
    def company(self):
        return self["res.company"].browse(self._user["company"])

    @property
    def companies(self):
        return self["res.company"].browse(self._user["companies"])

    @property
    def lang(self):
        return self._user["lang"]

    def ref(self, xmlid):
        """The record of an external identifier."""
        found = isinstance(xmlid, str) and self._shell.fact("ref", xmlid=xmlid)
        if not found:
            raise ValueError(f"There is no record {xmlid!r}.")
        return self[found[0]].browse(found[1])


class Method(Known):
    """A method of some records, before it is called."""

    def __init__(self, records, name, own=None):
        self._records, self._name, self._own = records, name, own

    def __repr__(self):
        return f"{self._records!r}.{self._name}"

    def _told(self):
        return "(Method)"

    def __call__(self, *args, **kwargs):
        if self._own:
            return self._own(self._records, *args, **kwargs)
        if args:
            raise TypeError(f"The arguments of {self._name} must be given by name.")
        return self._records._call(self._name, kwargs)


class Records(Known):
    """Some records of a model, in their order."""

    def __init__(self, shell, model, ids):
        self._shell = shell
        self.model = model
        self.ids = list(ids)
        # Those that were found together are read together.
        self._siblings = self.ids

    def _some(self, ids, siblings=None):
        found = Records(self._shell, self.model, ids)
        found._siblings = self._siblings if siblings is None else siblings
        return found

    # ---- a list of records ----

    @property
    def id(self):
        return self._one() if self.ids else False

    def _one(self):
        if len(self.ids) != 1:
            raise ValueError(f"Expected one record of {self.model}: {self!r}")
        return self.ids[0]

    def __len__(self):
        return len(self.ids)

    def __iter__(self):
        for ident in self.ids:
            yield self._some([ident])

    def __getitem__(self, key):
        if isinstance(key, str):
            return self._value(key)
        found = self.ids[key]
        return self._some(found if isinstance(key, slice) else [found])

    def __contains__(self, other):
        return self._same(other) and set(other.ids) <= set(self.ids)

    def _same(self, other):
        return isinstance(other, Records) and other.model == self.model

    def __eq__(self, other):
        return self._same(other) and set(other.ids) == set(self.ids)

    def __hash__(self):
        return hash((self.model, frozenset(self.ids)))

    def _joined(self, other, keep):
        if not self._same(other):
            raise TypeError(
                f"Both are records of {self.model}, or it is not an operation."
            )
        return self._some(keep(self.ids, other.ids), [])

    def __or__(self, other):
        return self._joined(other, lambda a, b: dict.fromkeys([*a, *b]))

    def __add__(self, other):
        return self._joined(other, lambda a, b: [*a, *b])

    def __sub__(self, other):
        return self._joined(other, lambda a, b: [i for i in a if i not in set(b)])

    def __and__(self, other):
        return self._joined(other, lambda a, b: [i for i in a if i in set(b)])

    def __repr__(self):
        return f"{self.model}({', '.join(map(str, self.ids[:100]))})"

    def _told(self):
        return {"model": self.model, "ids": list(self.ids[:MAX_IDS])}

    # ---- fields and methods ----

    def __getattr__(self, name):
        if name.startswith("_"):
            raise AttributeError(name)
        own = OWN.get(name)
        if own:
            return Method(self, name, own)
        if self._shell.fact("attribute", model=self.model, name=name) == "field":
            return self._value(name)
        return Method(self, name)

    def _value(self, name):
        """The value of a field; records, where it leads to some."""
        kind, comodel = self._field(name)
        if kind not in LINKS:
            return self._read(self._one(), name) if self.ids else False
        found = []
        for ident in self.ids:
            value = self._read(ident, name)
            if kind == "many2one":
                found += [value[0]] if value else []
            else:
                found += value or []
        return Records(self._shell, comodel, dict.fromkeys(found))

    def _field(self, name):
        """:return: the type of a field, and the model behind it"""
        return self._shell.fact("field", model=self.model, name=name)

    def _read(self, ident, name):
        known, missing = self._shell.known, ""
        if name not in known.get((self.model, ident), ()):
            missing = self._fetch(ident, name)
        row = known.get((self.model, ident), {})
        if name not in row:
            raise ValueError(missing)
        return row[name]

    def _fetch(self, ident, name):
        others = []
        if ident in self._siblings:
            at = self._siblings.index(ident)
            others = list(dict.fromkeys(self._siblings[at : at + PREFETCH]))
        return self._shell.fetch(self.model, ident, others, name)

    def _call(self, name, arguments):
        """A business method: what a button does.

        :return: ``{result, ...}``, as ``call_method`` answers
        """
        answer = self._shell.call(self.model, name, self.ids or None, arguments)
        return {k: answer[k] for k in answer if k.startswith(("result", "wizard"))}


# ---- what all models have ----


def _search(self, domain=(), offset=0, limit=None, order=None):
    rows = self._shell.do(
        self.model,
        "search_read",
        domain=_list(domain),
        fields=["id"],
        offset=offset,
        limit=limit,
        order=order,
    )
    ids = [row["id"] for row in rows]
    return self._some(ids, ids)


def _search_count(self, domain=()):
    return self._shell.do(self.model, "search_count", domain=_list(domain))


def _browse(self, ids=()):
    ids = [ids] if isinstance(ids, int) else list(ids or ())
    if any(type(i) is not int or i <= 0 for i in ids):
        raise ValueError("The ids are numbers.")
    return self._some(ids, ids)


def _exists(self):
    if not self.ids:
        return self
    rows = self._shell.do(self.model, "read", self.ids, fields=["id"])
    there = {row["id"] for row in rows}
    return self._some([i for i in self.ids if i in there])


def _read_rows(self, fields):
    if not self.ids:
        return []
    return self._shell.do(self.model, "read", self.ids, fields=_list(fields))


def _read_group(self, domain=(), groupby=(), aggregates=("__count",), **kwargs):
    return self._shell.do(
        self.model,
        "formatted_read_group",
        domain=_list(domain),
        groupby=_list(groupby),
        aggregates=_list(aggregates),
        **kwargs,
    )


def _mapped(self, what):
    if not isinstance(what, str):
        found = [what(record) for record in self]
        if found and all(isinstance(item, Records) for item in found):
            return _union(found)
        return found
    first, _dot, rest = what.partition(".")
    if self._field(first)[0] in LINKS:
        found = self._value(first)
        return _mapped(found, rest) if rest else found
    return [record._value(first) for record in self]


def _union(found):
    return found[0]._some(
        dict.fromkeys(i for records in found for i in records.ids), []
    )


def _filtered(self, what):
    if isinstance(what, str):
        path = what

        def what(record):
            found = _mapped(record, path)
            return bool(found) if isinstance(found, Records) else any(found)

    return self._some([record.ids[0] for record in self if what(record)])


def _sorted(self, key, reverse=False):
    if isinstance(key, str):
        name = key

        def key(record):
            value = record._value(name)
            return value.ids if isinstance(value, Records) else (value or "", value)

    records = sorted(self, key=key, reverse=reverse)
    return self._some([record.ids[0] for record in records])


def _filtered_domain(self, domain):
    if not self.ids:
        return self
    found = _search(self, [("id", "in", self.ids), *_list(domain)])
    return self._some([i for i in self.ids if i in set(found.ids)])


def _make(self, values):
    rows = [values] if isinstance(values, dict) else _list(values)
    found = self._shell.do(self.model, "create", vals_list=rows)
    return self._some(found["ids"], found["ids"])


def _change(self, values):
    if self.ids:
        self._shell.do(self.model, "write", self.ids, vals=values)
    return True


def _remove(self):
    if self.ids:
        self._shell.do(self.model, "unlink", self.ids)
    return True


def _post(self, body, kind="note", partner_ids=()):
    return self._shell.do(
        self.model,
        "message_post",
        self.ids,
        body=body,
        kind=kind,
        partner_ids=_list(partner_ids),
    )["message_id"]


def _schedule(self, **kwargs):
    self._shell.do(self.model, "activity_schedule", self.ids, **kwargs)
    return True


def _list(value):
    if isinstance(value, str | dict | Records):
        raise TypeError("This must be a list.")
    return list(value)


OWN = {
    "search": _search,
    "search_count": _search_count,
    "browse": _browse,
    "exists": _exists,
    "read": _read_rows,
    "formatted_read_group": _read_group,
    "mapped": _mapped,
    "filtered": _filtered,
    "filtered_domain": _filtered_domain,
    "sorted": _sorted,
    "create": _make,
    "write": _change,
    "unlink": _remove,
    "message_post": _post,
    "activity_schedule": _schedule,
}
