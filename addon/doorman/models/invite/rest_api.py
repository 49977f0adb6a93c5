from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Command

from ...policy.invite_values import LINK_HOURS, InviteRefused
from ...policy.refusal import _lt, in_language
from ...policy.shared import (
    MAX_INVITE_LINK_SECONDS,
    MAX_INVITES,
    MAX_POLICY_ITEMS,
    MAX_POLICY_TEXT,
    RISKS,
    SAY_NO_INVITE,
)
from ..mixins.doorman_model_rule_mixin import SWITCHES as SWITCH_FIELDS
from .doorman_invite import STATES

# Name in the API -> field that takes the value as it is, and its type.
PLAIN = {
    "max_uses": ("max_uses", int),
    "key_name_preset": ("key_name_preset", str),
    "key_lifetime_hours": ("key_lifetime_hours", int),
    "read_only": ("read_only", bool),
    "research_tools": ("research_tools", bool),
    "approve_outward": ("approve_outward", bool),
    "approval_expiry_hours": ("approval_expiry_hours", int),
    "rate_limit_minute": ("rate_limit_minute", int),
    "rate_limit_day": ("rate_limit_day", int),
    "rows_reply": ("rows_reply", int),
    "rows_day": ("rows_day", int),
    "new_accounts": ("new_accounts", bool),
    "description": ("description", str),
}
# Lists of names -> field, model and the field of the name.
NAMED = {
    "scopes": ("scope_ids", "doorman.scope", "code"),
    "allowed_tools": ("allowed_tool_ids", "doorman.tool", "name"),
    "approval_tools": ("approval_tool_ids", "doorman.tool", "name"),
    "allowed_models": ("allowed_model_ids", "ir.model", "model"),
}
LINES = {"allowed_ips", "blocked_ips", "recipient_domains", "accept_list"}
OTHERS = {
    "expires_in_seconds",
    "companies",
    "approver",
    "approver_group",
    "two_approvers",
    "account_groups",
    "approval_rules",
    "model_rules",
}
RULE = {
    "risk": str,
    "model": str,
    "tool": str,
    "more_than": int,
    "per_day": bool,
    "reads": bool,
}
SWITCHES = {"read": True, "create": False, "write": False, "delete": False}
MODEL_RULE = {*SWITCHES, "model", "domain", "hidden", "masked"}


def utc(value):
    """:return: a time as the API writes it, RFC 3339 in UTC"""
    return value and value.isoformat(timespec="seconds") + "Z"


def _is_text(value):
    """Whether PostgreSQL can keep it: JSON can hold halves of characters, and NUL."""
    return "\0" not in value and not any("\ud800" <= c <= "\udfff" for c in value)


class DoormanInvite(models.Model):
    """What the REST API calls, as the administrator whose own key it was given."""

    _inherit = "doorman.invite"

    @api.model
    def api_create(self, values):
        """Make an invite.

        :param dict values: names as in the REST API
        :return: ``{invite, invite_url}``, the URL for the only time, or ``{error}``
        """
        return self._api(lambda invites: invites._api_create(values))

    @api.model
    def api_list(self, limit=100, offset=0, state=None):
        """The invites of the caller's companies, newest first.

        :return: ``{invites, total}`` or ``{error}``
        """
        return self._api(lambda invites: invites._api_list(limit, offset, state))

    @api.model
    def api_get(self, invite_id):
        """One invite, with who accepted it.

        :return: ``{invite}`` or ``{error}``
        """
        return self._api(
            lambda invites: {"invite": invites._api_find(invite_id)._wire(whole=True)}
        )

    @api.model
    def api_revoke(self, invite_id, connections=False):
        """Stop a link.

        :param bool connections: also the connections made from it
        :return: ``{invite, revoked_connections}`` or ``{error}``
        """
        return self._api(lambda invites: invites._api_revoke(invite_id, connections))

    def _api(self, run):
        """:return: what it answers, or an error with a stable code: nothing was done"""
        # The words of an API are the same for everybody.
        invites = self.browse().with_context(lang="en_US")
        try:
            with self.env.cr.savepoint():
                invites._check_admin()
                answer = run(invites)
                invites.env.flush_all()
                return answer
        except InviteRefused as exc:
            code, message = exc.code, exc.args[0]
        except AccessError as exc:
            code, message = "forbidden", exc.args[0]
        except UserError as exc:
            code, message = "invalid_input", exc.args[0]
        return {"error": {"code": code, "message": message}}

    def _api_create(self, values):
        invite, token = self._make(self._api_values(values))
        return {"invite": invite._wire(), "invite_url": invite._link(token)}

    def _api_list(self, limit, offset, state):
        if state is not None and self._typed("state", state, str) not in dict(STATES):
            raise self._invalid("state", state)
        limit = self._typed("limit", limit, int)
        offset = self._typed("offset", offset, int)
        if not 1 <= limit <= MAX_INVITES or offset < 0:
            raise self._invalid("limit, offset")
        domain = [("state", "=", state)] if state else []
        found = self.search(domain, limit=limit, offset=offset)
        return {
            "invites": [invite._wire() for invite in found],
            "total": self.search_count(domain),
        }

    def _api_find(self, invite_id):
        found = self.browse()
        if type(invite_id) is int and 0 < invite_id < 2**31:
            found = self.search([("id", "=", invite_id)])
        if not found:
            raise InviteRefused(
                "not_found", in_language(_lt(SAY_NO_INVITE), self.env.lang or "en_US")
            )
        return found

    def _api_revoke(self, invite_id, connections):
        invite = self._api_find(invite_id)
        both = self._typed("connections", connections, bool)
        of_it = [("invite_id", "=", invite.id), ("state", "=", "revoked")]
        mine = self.env["doorman.connection"].sudo().with_context(active_test=False)
        before = mine.search_count(of_it)
        invite.action_revoke(connections=both)
        ended = mine.search_count(of_it) - before
        return {"invite": invite._wire(), "revoked_connections": ended}

    # ---- from JSON ----

    def _invalid(self, name, value=""):
        return ValidationError(
            self.env._(
                "%(name)s is not valid: %(value)s",
                name=str(name)[:100],
                value=repr(value)[:100],
            )
        )

    def _typed(self, name, value, kind):
        if type(value) is not kind or (kind is int and abs(value) >= 2**31):
            raise self._invalid(name, value)
        if kind is str and (len(value) > MAX_POLICY_TEXT or not _is_text(value)):
            raise self._invalid(name, value)
        return value

    def _list(self, name, value, kind=str):
        if type(value) is not list or len(value) > MAX_POLICY_ITEMS:
            raise self._invalid(name, value)
        return [self._typed(name, item, kind) for item in value]

    def _api_values(self, values):
        """:return: the values of the record; what is not known is refused"""
        if type(values) is not dict:
            raise self._invalid("values", values)
        unknown = values.keys() - PLAIN.keys() - NAMED.keys() - LINES - OTHERS
        if unknown:
            raise self._invalid(sorted(map(str, unknown))[0])
        vals = {"scope_ids": []}
        for name, value in values.items():
            if name in PLAIN:
                field, kind = PLAIN[name]
                vals[field] = self._typed(name, value, kind)
            elif name in NAMED:
                field, model, key = NAMED[name]
                names = self._list(name, value)
                vals[field] = [Command.set(self._named(name, names, model, key).ids)]
            elif name in LINES:
                vals[name] = self._lines(name, value)
        vals["accept_from"] = "listed" if vals.get("accept_list") else "anyone"
        return vals | self._api_others(values)

    def _lines(self, name, value):
        lines = self._list(name, value)
        for line in lines:
            if len(line.splitlines()) != 1 or not line.strip():
                raise self._invalid(name, line)
        return "\n".join(lines)

    def _named(self, name, names, model, key):
        found = self.env[model].with_context(active_test=False)
        found = found.search([(key, "in", names)])
        missing = set(names) - set(found.mapped(key))
        if missing:
            raise self._invalid(name, sorted(missing)[0])
        return found

    def _api_others(self, values):
        vals = {}
        seconds = values.get("expires_in_seconds", LINK_HOURS * 3600)
        seconds = self._typed("expires_in_seconds", seconds, int)
        if not 0 < seconds <= MAX_INVITE_LINK_SECONDS:
            raise self._invalid("expires_in_seconds", seconds)
        vals["expires_at"] = fields.Datetime.now() + timedelta(seconds=seconds)
        if "companies" in values:
            ids = self._list("companies", values["companies"], int)
            if set(ids) - set(self.env.user.company_ids.ids):
                raise InviteRefused(
                    "companies_exceeded",
                    self.env._("requested companies exceed admin's own companies"),
                )
            vals["company_ids"] = [Command.set(ids)]
        two = self._typed("two_approvers", values.get("two_approvers", ""), str)
        if two not in ("", *RISKS):
            raise self._invalid("two_approvers", two)
        vals["two_approvers"] = two or False
        if approver := self._typed("approver", values.get("approver", ""), str):
            users = self.env["res.users"].sudo()
            found = users.search([("login", "=", approver), ("share", "=", False)])
            if not found:
                raise self._invalid("approver", approver)
            vals["approver_id"] = found.id
        group = self._typed("approver_group", values.get("approver_group", ""), str)
        if group:
            vals["approver_group_id"] = self._group("approver_group", group)
        groups = self._list("account_groups", values.get("account_groups", []))
        vals["account_group_ids"] = [
            Command.set([self._group("account_groups", g) for g in groups])
        ]
        rules = values.get("approval_rules", [])
        if type(rules) is not list or len(rules) > MAX_POLICY_ITEMS:
            raise self._invalid("approval_rules", rules)
        vals["approval_rule_ids"] = [Command.create(self._rule(r)) for r in rules]
        rules = values.get("model_rules", [])
        if type(rules) is not list or len(rules) > MAX_POLICY_ITEMS:
            raise self._invalid("model_rules", rules)
        vals["model_rule_ids"] = [Command.create(self._model_rule(r)) for r in rules]
        return vals

    def _group(self, name, xmlid):
        found = "." in xmlid and self.env.ref(xmlid, raise_if_not_found=False)
        if not found or found._name != "res.groups":
            raise self._invalid(name, xmlid)
        return found.id

    def _rule(self, rule):
        if type(rule) is not dict or rule.keys() - RULE.keys():
            raise self._invalid("approval_rules", rule)
        rule = {
            n: self._typed(n, rule.get(n, kind()), kind) for n, kind in RULE.items()
        }
        if rule["risk"] not in ("", "low", "medium", "high"):
            raise self._invalid("risk", rule["risk"])
        model = rule.pop("model")
        found = model and self._named("model", [model], "ir.model", "model").id
        tool = rule.pop("tool")
        named = tool and self._named("tool", [tool], "doorman.tool", "name").id
        return rule | {
            "risk": rule["risk"] or False,
            "model_id": found or False,
            "tool_id": named or False,
        }

    def _model_rule(self, rule):
        if type(rule) is not dict or rule.keys() - MODEL_RULE:
            raise self._invalid("model_rules", rule)
        name = self._typed("model", rule.get("model", ""), str)
        vals = {
            SWITCH_FIELDS[switch]: self._typed(switch, rule.get(switch, default), bool)
            for switch, default in SWITCHES.items()
        }
        vals["domain"] = self._typed("domain", rule.get("domain", ""), str) or False
        if name:
            vals["model_id"] = self._named("model", [name], "ir.model", "model").id
        known = self.env["ir.model.fields"].sudo()
        for closed in ("hidden", "masked"):
            names = self._list(closed, rule.get(closed, []))
            fields_ = known.search([("model", "=", name), ("name", "in", names)])
            if set(names) - set(fields_.mapped("name")):
                raise self._invalid(closed, names)
            vals[f"{closed}_field_ids"] = [Command.set(fields_.ids)]
        return vals

    # ---- to JSON ----

    def _wire(self, whole=False):
        """The invite as plain JSON.

        :param bool whole: with who accepted it
        """
        self.ensure_one()
        invite = self.sudo().with_context(active_test=False)
        wire = {
            name: invite[field] or PLAIN[name][1]()
            for name, (field, _) in PLAIN.items()
        }
        for name, (field, _model, key) in NAMED.items():
            wire[name] = invite[field].mapped(key)
        for name in LINES:
            wire[name] = (invite[name] or "").splitlines()
        wire |= {
            "id": invite.id,
            "state": invite.state,
            "current_uses": invite.current_uses,
            "expires_at": utc(invite.expires_at),
            "companies": invite.company_ids.ids,
            "approver": invite.approver_id.login or "",
            "approver_group": self._xmlids(invite.approver_group_id)[:1],
            "account_groups": self._xmlids(invite.account_group_ids),
            "two_approvers": invite.two_approvers or "",
            "approval_rules": invite.approval_rule_ids._wire(),
            "model_rules": invite.model_rule_ids._wire(),
            "company": invite.company_id.name,
            "created_by": invite.creator_id.login or "",
            "created_at": utc(invite.create_date),
        }
        wire["approver_group"] = (wire["approver_group"] or [""])[0]
        if whole:
            wire["acceptances"] = [
                self._acceptance_wire(acceptance)
                for acceptance in invite.acceptance_ids
            ]
        return wire

    @api.model
    def _xmlids(self, groups):
        return [xmlid for xmlid in groups.get_external_id().values() if xmlid]

    @api.model
    def _acceptance_wire(self, acceptance):
        return {
            "login": acceptance.user_id.login,
            "name": acceptance.user_id.name,
            "accepted_at": utc(acceptance.accepted_at),
            "ip": acceptance.ip or "",
            "new_account": acceptance.new_account,
            "connection_id": acceptance.connection_id.id or None,
            "connection_state": acceptance.connection_id.state or "",
        }
