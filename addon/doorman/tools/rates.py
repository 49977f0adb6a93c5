"""Odoo's exchange rates of the day."""

from functools import cached_property

from odoo.fields import Date


class Rates:
    """What currencies are in that of the company a call works in.

    :param env: of the call
    """

    def __init__(self, env):
        self.env = env
        self.factors = {}
        # Names of those that Odoo has no rate for, of those asked for.
        self.missing = set()

    @cached_property
    def own(self):
        """The currency of the company."""
        return self.env.company.currency_id

    @cached_property
    def date(self):
        """The day that the rates are of: today, where the user is."""
        return Date.context_today(self.env["res.currency"])

    def name(self, ident):
        """What a currency is called; no currency is called "none"."""
        return self.env["res.currency"].browse(ident).name if ident else "none"

    def factor(self, ident):
        """:param ident: of a currency, or None
        :return: what one of it is in the company's; None if Odoo does not know
        """
        if ident not in self.factors:
            found = self.factors[ident] = self._factor(ident)
            if found is None:
                self.missing.add(self.name(ident))
        return self.factors[ident]

    def _factor(self, ident):
        if not ident or ident == self.own.id:
            return 1.0 if ident else None
        currency, company = self.env["res.currency"].browse(ident), self.env.company
        known = self.env["res.currency.rate"].search_count(
            [
                ("currency_id", "=", ident),
                ("company_id", "in", (False, company.root_id.id)),
            ],
            limit=1,
        )
        if not known:
            return None  # Odoo would count one of it as one of the company's
        return currency._get_conversion_rate(currency, self.own, company, self.date)

    def of_own(self):
        """What Odoo's own ``sum_currency`` counts one of the company's currency as."""
        return self.own._get_rates(self.env.company, self.date).get(self.own.id) or 1.0
