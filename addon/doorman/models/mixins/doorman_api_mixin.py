from odoo import api, models
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Command

from ...policy.api_values import ApiRefused
from ...policy.shared import MAX_POLICY_ITEMS, MAX_POLICY_TEXT, RISKS
from .doorman_model_rule_mixin import SWITCHES as SWITCH_FIELDS

# Name in the API -> type of a field that takes the value as it is.
PLAIN = {
    "read_only": bool,
    "research_tools": bool,
    "approve_outward": bool,
    "approval_expiry_hours": int,
    "rate_limit_minute": int,
    "rate_limit_day": int,
    "rows_reply": int,
    "rows_day": int,
    "description": str,
}
# Lists of names -> field, model and the field of the name.
NAMED = {
    "scopes": ("scope_ids", "doorman.scope", "code"),
    "allowed_tools": ("allowed_tool_ids", "doorman.tool", "name"),
    "approval_tools": ("approval_tool_ids", "doorman.tool", "name"),
    "allowed_models": ("allowed_model_ids", "ir.model", "model"),
}
LINES = ("allowed_ips", "blocked_ips", "recipient_domains")
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


class DoormanApiMixin(models.AbstractModel):
    """What the REST API calls of a model: plain JSON in, plain JSON or an error with a
    stable code out. It runs as the administrator whose own key was shown."""

    _name = "doorman.api.mixin"
    _description = "Doorman: REST API"

    @api.model
    def _api(self, run):
        """Do what an MCP administrator asks for, or nothing at all.

        :param run: is given an empty recordset, and returns a dict
        :return: what it returns, or ``{error: {code, message}}``: nothing was done
        """
        # The words of an API are the same for everybody.
        records = self.browse().with_context(lang="en_US")
        try:
            with self.env.cr.savepoint():
                if not self.env.user.has_group("doorman.group_admin"):
                    raise AccessError(
                        self.env._("Only an MCP administrator can do this.")
                    )
                answer = run(records)
                records.env.flush_all()
                return answer
        except ApiRefused as exc:
            code, message = exc.code, exc.args[0]
        except AccessError as exc:
            code, message = "forbidden", exc.args[0]
        except UserError as exc:
            code, message = "invalid_input", exc.args[0]
        return {"error": {"code": code, "message": message}}

    # ---- from JSON ----

    def _api_invalid(self, name, value=""):
        return ValidationError(
            self.env._(
                "%(name)s is not valid: %(value)s",
                name=str(name)[:100],
                value=repr(value)[:100],
            )
        )

    def _api_typed(self, name, value, kind):
        if type(value) is not kind or (kind is int and abs(value) >= 2**31):
            raise self._api_invalid(name, value)
        if kind is str and (len(value) > MAX_POLICY_TEXT or not _is_text(value)):
            raise self._api_invalid(name, value)
        return value

    def _api_items(self, name, value, kind=str):
        if type(value) is not list or len(value) > MAX_POLICY_ITEMS:
            raise self._api_invalid(name, value)
        return [self._api_typed(name, item, kind) for item in value]

    def _api_page(self, limit, offset, most):
        """:return: limit and offset of a list, checked"""
        limit = self._api_typed("limit", limit, int)
        offset = self._api_typed("offset", offset, int)
        if not 1 <= limit <= most or offset < 0:
            raise self._api_invalid("limit, offset")
        return limit, offset

    def _api_chosen(self, name, value, known):
        """:return: a word of a list of words, checked"""
        if self._api_typed(name, value, str) not in known:
            raise self._api_invalid(name, value)
        return value

    def _api_lines(self, name, value):
        lines = self._api_items(name, value)
        for line in lines:
            if len(line.splitlines()) != 1 or not line.strip():
                raise self._api_invalid(name, line)
        return "\n".join(lines)

    def _api_named(self, name, names, model, key):
        found = self.env[model].with_context(active_test=False)
        found = found.search([(key, "in", names)])
        missing = set(names) - set(found.mapped(key))
        if missing:
            raise self._api_invalid(name, sorted(missing)[0])
        return found

    def _api_known(self, values, more):
        """:param more: names of the API beside those of a policy
        :raise ValidationError: if there are others, or if it is not an object
        """
        if type(values) is not dict:
            raise self._api_invalid("values", values)
        unknown = values.keys() - POLICY - set(more)
        if unknown:
            raise self._api_invalid(sorted(map(str, unknown))[0])

    def _api_policy_from(self, values):
        """:param dict values: by names of the API; those that are not of a policy are
            left alone
        :return: the values of the record, for the names that are there
        """
        vals = {}
        for name, value in values.items():
            if name in PLAIN:
                vals[name] = self._api_typed(name, value, PLAIN[name])
            elif name in NAMED:
                field, model, key = NAMED[name]
                names = self._api_items(name, value)
                vals[field] = [
                    Command.set(self._api_named(name, names, model, key).ids)
                ]
            elif name in LINES:
                vals[name] = self._api_lines(name, value)
            elif name in OTHERS:
                vals |= getattr(self, f"_api_from_{name}")(value)
        return vals

    def _api_from_companies(self, value):
        ids = self._api_items("companies", value, int)
        if set(ids) - set(self.env.user.company_ids.ids):
            raise ApiRefused(
                "companies_exceeded",
                self.env._("requested companies exceed admin's own companies"),
            )
        return {"company_ids": [Command.set(ids)]}

    def _api_from_two_approvers(self, value):
        return {
            "two_approvers": self._api_chosen("two_approvers", value, ("", *RISKS))
            or False
        }

    def _api_from_approver(self, value):
        login = self._api_typed("approver", value, str)
        users = self.env["res.users"].sudo()
        found = users.browse()
        if login:
            found = users.search([("login", "=", login), ("share", "=", False)])
            if not found:
                raise self._api_invalid("approver", login)
        return {"approver_id": found.id}

    def _api_from_approver_group(self, value):
        group = self._api_typed("approver_group", value, str)
        found = group and self._api_group("approver_group", group)
        return {"approver_group_id": found or False}

    def _api_from_approval_rules(self, value):
        lines = map(self._api_rule, self._api_objects("approval_rules", value))
        return {"approval_rule_ids": [Command.create(line) for line in lines]}

    def _api_from_model_rules(self, value):
        lines = self._api_objects("model_rules", value)
        return {
            "model_rule_ids": [Command.create(self._api_model_rule(r)) for r in lines]
        }

    def _api_objects(self, name, value):
        if type(value) is not list or len(value) > MAX_POLICY_ITEMS:
            raise self._api_invalid(name, value)
        return value

    def _api_group(self, name, xmlid):
        found = "." in xmlid and self.env.ref(xmlid, raise_if_not_found=False)
        if not found or found._name != "res.groups":
            raise self._api_invalid(name, xmlid)
        return found.id

    def _api_rule(self, rule):
        if type(rule) is not dict or rule.keys() - RULE.keys():
            raise self._api_invalid("approval_rules", rule)
        rule = {
            n: self._api_typed(n, rule.get(n, kind()), kind) for n, kind in RULE.items()
        }
        if rule["risk"] not in ("", "low", "medium", "high"):
            raise self._api_invalid("risk", rule["risk"])
        model = rule.pop("model")
        found = model and self._api_named("model", [model], "ir.model", "model").id
        tool = rule.pop("tool")
        named = tool and self._api_named("tool", [tool], "doorman.tool", "name").id
        return rule | {
            "risk": rule["risk"] or False,
            "model_id": found or False,
            "tool_id": named or False,
        }

    def _api_model_rule(self, rule):
        if type(rule) is not dict or rule.keys() - MODEL_RULE:
            raise self._api_invalid("model_rules", rule)
        model = self._api_typed("model", rule.get("model", ""), str)
        vals = {
            SWITCH_FIELDS[switch]: self._api_typed(
                switch, rule.get(switch, default), bool
            )
            for switch, default in SWITCHES.items()
        }
        vals["domain"] = self._api_typed("domain", rule.get("domain", ""), str) or False
        if model:
            vals["model_id"] = self._api_named("model", [model], "ir.model", "model").id
        known = self.env["ir.model.fields"].sudo()
        for closed in ("hidden", "masked"):
            names = self._api_items(closed, rule.get(closed, []))
            fields_ = known.search([("model", "=", model), ("name", "in", names)])
            if set(names) - set(fields_.mapped("name")):
                raise self._api_invalid(closed, names)
            vals[f"{closed}_field_ids"] = [Command.set(fields_.ids)]
        return vals

    # ---- to JSON ----

    def _api_policy_wire(self):
        """The policy of a record, by names of the API."""
        self.ensure_one()
        record = self.sudo().with_context(active_test=False)
        wire = {name: record[name] or kind() for name, kind in PLAIN.items()}
        for name, (field, _model, key) in NAMED.items():
            wire[name] = record[field].mapped(key)
        for name in LINES:
            wire[name] = (record[name] or "").splitlines()
        return wire | {
            "companies": record.company_ids.ids,
            "approver": record.approver_id.login or "",
            "approver_group": (self._api_xmlids(record.approver_group_id) or [""])[0],
            "two_approvers": record.two_approvers or "",
            "approval_rules": record.approval_rule_ids._wire(),
            "model_rules": record.model_rule_ids._wire(),
        }

    @api.model
    def _api_xmlids(self, groups):
        return [xmlid for xmlid in groups.get_external_id().values() if xmlid]


OTHERS = tuple(
    name.removeprefix("_api_from_")
    for name in vars(DoormanApiMixin)
    if name.startswith("_api_from_")
)
POLICY = {*PLAIN, *NAMED, *LINES, *OTHERS}
