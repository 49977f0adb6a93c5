import pytz

from odoo import models

from ..policy import in_force
from ..policy.context_keys import CONTEXT_KEYS
from ..policy.guard import Guard
from ..policy.refusal import Refusal, _lt
from ..tools import operations


class DoormanGateway(models.AbstractModel):
    """Where a call runs: in an environment of the connection's user, within the rules
    of the connection."""

    _inherit = "doorman.gateway"

    def _guard(self, connection, row, request):
        """The rules for a call, with an environment of the connection's user."""
        allowed, companies = connection._model_rule(row["version"])
        if not isinstance(request.get("context") or {}, dict):
            raise Refusal("malformed_arguments", _lt("The context is malformed."))
        context = {
            key: value
            for key, value in (request.get("context") or {}).items()
            if key in CONTEXT_KEYS and value is not None
        }
        if operations.only_reads(request):
            # Sizes instead of contents for binary fields: bytes never go through here.
            # Code behind a write may need them: the files of an email.
            context["bin_size"] = True
        self._check_language(context)
        self._check_zone(context)
        user = self.env["res.users"].browse(row["user_id"])
        # As in Odoo's own client: without them texts are English, and days UTC.
        context = {**user._doorman_context(), **context}
        self._limit_companies(context, companies, user)
        # A fresh context, not one on top of ours.
        env = self.env(user=row["user_id"], context=context, su=False)
        self.env["doorman.settings"]._warm_companies(env.companies)
        # The fence has read it: Odoo need not, to know the user's company.
        user._fields["company_id"]._insert_cache(user, [row["company_id"]])
        *_others, approval = connection._write_rule(row["version"])
        asks_to_read = frozenset(
            rule["model"]
            for rule in (approval["rules"] if approval else ())
            if rule["reads"] and rule["model"]
        )
        narrow = companies is not None
        rules = connection._rules(row["version"])
        # The key of what Odoo caches: a new version has other rules.
        in_force.begin(env.cr, rules, env.uid, (row["id"], row["version"]))
        domains = connection._domains(row["version"])
        return Guard(env, allowed, asks_to_read, narrow, rules, domains, row["id"])

    def _check_language(self, context):
        """A language that this Odoo does not have would fail later, in the words of
        whatever looked at it first."""
        lang = context.get("lang")
        if lang is None:
            return
        known = [code for code, _name in self.env["res.lang"].get_installed()]
        if lang not in (*known, "en_US"):
            raise Refusal(
                "unknown_language",
                _lt(
                    "%(language)r is not an installed language.",
                    language=str(lang)[:20],
                ),
                _lt("Available: %(choices)s.", choices=", ".join(known)),
            )

    def _check_zone(self, context):
        """Odoo would take another one for UTC, and say so in its log alone."""
        zone = context.get("tz")
        if zone is not None and (
            not isinstance(zone, str) or zone not in pytz.all_timezones_set
        ):
            raise Refusal(
                "unknown_time_zone",
                _lt("%(time_zone)r is not a time zone.", time_zone=str(zone)[:40]),
                _lt("Use a name such as Europe/Paris."),
            )

    def _limit_companies(self, context, companies, user):
        """Keep a call inside the companies of its connection and its user."""
        asked = context.get("allowed_company_ids")
        if asked is None and companies is None:
            return
        mine = set(user.sudo().company_ids.ids)
        if companies is not None:
            mine &= companies
        if asked is not None:
            # True is 1, and 1.0 is: only numbers are ids.
            if (
                not isinstance(asked, list)
                or not asked
                or any(type(i) is not int for i in asked)
                or set(asked) - mine
            ):
                raise Refusal(
                    "company_not_allowed",
                    _lt("This connection cannot work in that company."),
                    _lt("Call get_context to see the companies it can work in."),
                )
        elif not mine:
            raise Refusal(
                "company_not_allowed",
                _lt("The user has no access to this connection's companies."),
            )
        else:
            main = user.sudo().company_id.id
            context["allowed_company_ids"] = sorted(mine, key=lambda c: c != main)
