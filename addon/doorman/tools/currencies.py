"""Amounts in groups. Those of several currencies are never added up as if they were of
one: they come by currency, and converted by Odoo's own rates.

    groups, with the currencies in each ── one ──────> {amount, currency}
                                        └─ several ──> once more, currency by currency:
                                                       {amount, currency, by_currency}
"""

import json

from odoo.fields import Domain

from ..policy import looks
from ..policy.groupings import SUM_CURRENCY
from ..policy.refusal import Refusal, _lt
from .rates import Rates

# What is worked out of amounts, and would mix them.
MIXES = ("sum", "avg", "min", "max", SUM_CURRENCY)
# Records whose currency Odoo works out one by one, and currencies in one answer.
MAX_LOOKED_AT, MAX_CURRENCIES = 50_000, 40


class Amounts:
    """The measures of one call that are amounts.

    :param guard: the rules of the call
    :param model: what is measured
    :param dict kwargs: of Odoo's ``formatted_read_group``, checked
    :param as_objects: whether an amount may be told with its currency; if not, it is a
        number as before, and several currencies are refused
    """

    def __init__(self, guard, model, kwargs, as_objects):
        self.guard, self.model, self.kwargs = guard, model, kwargs
        self.as_objects = as_objects
        self.rates = Rates(guard.env)
        self.converted = False
        self.told = set()  # names of the currencies of what is told as one number
        # The field that holds the currency, by what is measured or sorted by.
        self.fields = {
            spec: name
            for spec in (*kwargs["aggregates"], *self._terms())
            if (name := self._currency_field(spec))
        }
        # By such a field: None if the database knows the currencies, else the ids of
        # the records of each.
        self.looked_at = {n: self._look(n) for n in set(self.fields.values())}

    def _terms(self):
        """What the groups are sorted by."""
        order = self.kwargs.get("order") or ""
        return [term.split()[0] for term in order.split(",") if term.strip()]

    def _currency_field(self, spec):
        name, _colon, how = spec.partition(":")
        field = self.model._fields.get(name)
        if field is None or field.type != "monetary" or how not in MIXES:
            return None
        currency = self.model._fields[field.get_currency_field(self.model)]
        self.model._check_field_access(currency, "read")
        if looks.is_closed(self.guard, self.model._name, currency.name):
            # What is told with every amount.
            looks.check_value(self.guard, self.model, currency)
        return currency.name

    def _look(self, name):
        """:return: None if the database knows the currencies, else ``{id: ids}``"""
        model = self.model
        try:
            model._read_group_select(_distinct(name), model._as_query(ordered=False))
            return None
        except ValueError:
            # Odoo works them out, record by record.
            domain, limit = self.kwargs["domain"], MAX_LOOKED_AT + 1
            records = model.search(domain, limit=limit, order="id")
        if len(records) < limit:
            return {one.id: some.ids for one, some in records.grouped(name).items()}
        only = model.env["res.currency"].search([], limit=2)
        if len(only) == 1:
            return {only.id: []}
        raise Refusal(
            "too_much_to_compute",
            _lt(
                "Odoo computes %(model)s.%(field)s record by record, and there are "
                "more than %(most)s.",
                model=model._name,
                field=name,
                most=MAX_LOOKED_AT,
            ),
            _lt("Narrow the domain, for example to a year."),
        )

    # ---- the groups ----

    def groups(self):
        """:return: the groups as Odoo's method gives them, with amounts as they may be
            told
        :raise Refusal: if several currencies would be one number
        """
        specs = self.kwargs["aggregates"]
        asked = [self._asked(spec) for spec in specs]
        measured = {s: self.fields[s] for s in specs if self._is_told(s)}
        names = dict.fromkeys(measured.values())
        asked += [_distinct(name) for name in names if self.looked_at[name] is None]
        groups = self.model.formatted_read_group(
            **self.kwargs
            | {
                "aggregates": list(dict.fromkeys(asked)),
                "order": self._order(),
                "having": self._having(),
            }
        )
        parts = {name: self._parts(name, measured, groups) for name in names}
        for number, group in enumerate(groups):
            told = {s: self._told(s, parts[n][number]) for s, n in measured.items()}
            for helper in set(asked).difference(specs):
                group.pop(helper, None)
            group.update(told)
        return groups

    def _is_told(self, spec):
        """Whether a measure is told in its currencies; what Odoo converts itself is in
        one."""
        converts = spec.endswith(SUM_CURRENCY) and not self.as_objects
        return spec in self.fields and not converts

    def _asked(self, spec):
        """What Odoo is asked for: what is converted here is asked for as it is."""
        if spec not in self.fields or not spec.endswith(SUM_CURRENCY):
            return spec
        if self.as_objects:
            return spec.replace(SUM_CURRENCY, "sum")
        if self.looked_at[self.fields[spec]] is not None:
            raise self._cannot(spec)
        return spec

    def _parts(self, name, measured, groups):
        """:return: for every group its measures by the id of their currency"""
        looked_at, specs = (
            self.looked_at[name],
            [s for s in measured if measured[s] == name],
        )
        found = [
            (group[_distinct(name)] or []) if looked_at is None else list(looked_at)
            for group in groups
        ]
        mixed = [(g, ids) for g, ids in zip(groups, found, strict=True) if len(ids) > 1]
        is_cut = self.kwargs.get("offset") or len(groups) >= self.kwargs["limit"]
        rows = self._split(name, specs, mixed, is_cut)
        return [
            {i: row for i in ids if (row := rows[i].get(self._key(group)))}
            if len(ids) > 1
            else dict.fromkeys(ids, group)
            for group, ids in zip(groups, found, strict=True)
        ]

    def _split(self, name, specs, mixed, is_cut):
        """The groups of several currencies once more, for each of these.

        :param mixed: such groups, with the ids of their currencies
        :param is_cut: whether there may be many more groups
        :return: ``{id of a currency: {key of a group: group}}``
        """
        currencies = dict.fromkeys(ident for _group, ids in mixed for ident in ids)
        if len(currencies) > MAX_CURRENCIES:
            raise Refusal(
                "too_many_currencies",
                _lt("There are more than %(most)s currencies.", most=MAX_CURRENCIES),
            )
        domain, looked_at = Domain(self.kwargs["domain"]), self.looked_at[name]
        if is_cut and not any(self._is_undated(group) for group, _ids in mixed):
            domain &= Domain.OR([group["__extra_domain"] for group, _ids in mixed])
        asked = {self._asked(spec) for spec in specs}
        # An average of several takes how many there are of each.
        asked |= {s.replace(":avg", ":count") for s in asked if s.endswith(":avg")}
        found = {}
        for ident in currencies:
            if looked_at is None:
                mine = Domain(name, "=", ident or False)
            else:
                mine = Domain("id", "in", looked_at[ident])
            rows = self.model.formatted_read_group(
                domain & mine, self.kwargs["groupby"], sorted(asked)
            )
            found[ident] = {self._key(row): row for row in rows}
        return found

    def _is_undated(self, group):
        """Whether a group is of records without a date: by the number of their month or
        day, Odoo's own domain does not find them."""
        return any(group[s] is False for s in self.kwargs["groupby"] if ":" in s)

    def _key(self, group):
        return json.dumps([group[s] for s in self.kwargs["groupby"]], default=str)

    # ---- one amount ----

    def _told(self, spec, parts):
        """One measure of one group.

        :param dict parts: the group by currency
        :return: ``{amount, currency}``, with ``by_currency`` if there are several or it
            is converted anyway; None for nothing; a number if objects may not be told
        """
        how, asked = spec.partition(":")[2], self._asked(spec)
        amounts = {i: row[asked] for i, row in parts.items() if row[asked] is not False}
        if not self.as_objects:
            if len(amounts) > 1:
                raise self._cannot(spec, amounts)
            return next(iter(amounts.values()), False)
        if not amounts:
            return None
        if len(amounts) == 1 and how != SUM_CURRENCY:
            [(ident, amount)] = amounts.items()
            self.told.add(self.rates.name(ident))
            return {"amount": amount, "currency": ident and self.rates.name(ident)}
        self.converted = True
        self.told.add(self.rates.own.name)
        counts = {i: parts[i].get(spec.replace(":avg", ":count")) for i in amounts}
        return {
            "amount": self._converted(how, amounts, counts),
            "currency": self.rates.own.name,
            "by_currency": {self.rates.name(i): amounts[i] for i in amounts},
        }

    def _converted(self, how, amounts, counts):
        """:return: what amounts of several currencies are in the company's; None if
        Odoo does not know"""
        factors = {ident: self.rates.factor(ident) for ident in amounts}
        if None in factors.values():
            return None
        values = {ident: amounts[ident] * factors[ident] for ident in amounts}
        if how == "avg":
            weighed = sum(values[ident] * counts[ident] for ident in values)
            return weighed / sum(counts[ident] for ident in values)
        return {"min": min, "max": max}.get(how, sum)(values.values())

    def facts(self):
        """:return: ``converted``, to what and by the rates of which day; ``no_rate``,
        the currencies that are not converted; ``currencies`` of the amounts that are
        told; each only where it matters"""
        facts = {}
        if self.converted:
            to, on = self.rates.own.name, self.rates.date.isoformat()
            facts["converted"] = {"currency": to, "date": on}
        if self.rates.missing:
            facts["no_rate"] = sorted(self.rates.missing)
        if len(self.told) > 1:
            facts["currencies"] = sorted(self.told)
        return facts

    # ---- which groups, and in which order ----

    def _order(self):
        order = self.kwargs.get("order") or ""
        return ",".join(self._sorted_by(term) for term in order.split(",")) or None

    def _sorted_by(self, term):
        spec, *rest = term.split() or [""]
        return " ".join([self._compared(spec), *rest]) if spec in self.fields else term

    def _having(self):
        def compared(condition):
            spec, value = condition.field_expr, condition.value
            if spec in self.fields and (by := self._compared(spec)) != spec:
                return Domain(by, condition.operator, self._of_odoo(value))
            return condition

        having = self.kwargs.get("having")
        if not having:
            return []
        # A list would be an array to the database.
        return [
            (one[0], one[1], tuple(one[2])) if _has_list(one) else one
            for one in Domain(having).map_conditions(compared)
        ]

    def _of_odoo(self, value):
        """A value to compare with, in what Odoo counts in when it converts."""
        if isinstance(value, list | tuple | set):
            return [self._of_odoo(one) for one in value]
        return value / self.rates.of_own()

    def _compared(self, spec):
        """What groups are compared by, where a measure of theirs was asked for."""
        name, _colon, how = spec.partition(":")
        looked_at = self.looked_at[self.fields[spec]]
        if not self._has_several(self.fields[spec]):
            return spec if looked_at is None else self._asked(spec)
        if how not in ("sum", SUM_CURRENCY) or looked_at is not None:
            raise self._cannot(spec)
        return f"{name}:{SUM_CURRENCY}"

    def _has_several(self, name):
        """Whether the records that are asked for have several currencies."""
        looked_at = self.looked_at[name]
        if looked_at is None:
            domain = self.kwargs["domain"]
            [(looked_at,)] = self.model._read_group(domain, [], [_distinct(name)])
        return len(looked_at) > 1

    def _cannot(self, spec, amounts=()):
        field = self.fields[spec]
        names = ", ".join(sorted(map(self.rates.name, amounts)))
        return Refusal(
            "mixed_currencies",
            _lt(
                "%(model)s: %(measure)s would mix amounts of several currencies "
                "(%(currencies)s).",
                model=self.model._name,
                measure=spec,
                currencies=names,
            )
            if names
            else _lt(
                "%(model)s: %(measure)s would mix amounts of several currencies.",
                model=self.model._name,
                measure=spec,
            ),
            _lt(
                "Group by %(field)s too, or narrow the domain to one currency.",
                field=field,
            ),
        )


def _has_list(item):
    return len(item) == 3 and item[1] in ("in", "not in")


def _distinct(name):
    return f"{name}:array_agg_distinct"
