"""What the rules per model of a policy say, worked out once for each of its versions.

a line ── the model, or every other one ── what may be done
                                        ├─ which records: a domain
                                        └─ fields hidden or masked, with carriers
"""

import ast
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

from odoo.fields import Domain

from . import carriers, closed_models, masks

READ, CREATE, WRITE, DELETE = OPERATIONS = ("read", "create", "write", "delete")
HIDDEN = "hidden"
# The names that a domain may use for the user and their companies.
NAMES = ("uid", "company_id", "company_ids")


class Rule(NamedTuple):
    """One line. See ``DoormanModelRule``."""

    operations: frozenset
    # As text, in Odoo's form; "" for all records.
    domain: str


class Closed(NamedTuple):
    """Why a field is not told as it is."""

    # HIDDEN, or how it is masked.
    how: str
    # The field that the policy names: ``res.partner.email``.
    named: str


@dataclass(frozen=True, eq=False)
class Rules:
    """The rules of one policy."""

    # By model.
    rules: dict
    # For every other model, or None: as far as its user may.
    others: Rule | None
    # ``{(model, field): Closed}``
    fields: dict = field(default_factory=dict)
    # ``{model: Closed}`` of those whose records are called by a closed field.
    names: dict = field(default_factory=dict)
    # The models whose records hang on those of others.
    hanging: frozenset = frozenset(closed_models.FOLLOWERS)
    # ``{model: names}`` of closed fields whose bytes Odoo keeps as files.
    files: dict = field(default_factory=dict)
    # The models that are files.
    holding: frozenset = frozenset()

    def of(self, model):
        """:return: the Rule for a model, or None if there is none"""
        return self.rules.get(model, self.others)

    def may(self, model, operation):
        """Whether the rules let an operation on a model pass."""
        rule = self.of(model)
        return rule is None or operation in rule.operations

    def closed(self, model, name):
        """:return: Closed, or None for a field that is told as it is"""
        return self.fields.get((model, name))

    def is_partly(self, model):
        """Whether only some records of a model are there for the connection."""
        rule = self.rules.get(model)
        return rule is not None and bool(rule.domain)

    @cached_property
    def partly(self):
        """The models of which only some records are there."""
        return {model for model in self.rules if self.is_partly(model)}

    def leaves_out(self, model):
        """Whether records of a model are not there for the connection: by its own
        domain, because they hang on such records, or because they are what a closed
        field holds."""
        return (
            self.is_partly(model)
            or (model in self.hanging and bool(self.partly))
            or self.holds_closed(model)
        )

    def holds_closed(self, model):
        """Whether some records of a model are what closed fields hold: files."""
        return bool(self.files) and model in self.holding

    def closes_any(self, model):
        """Whether a model has a field that is closed."""
        return model in self.closed_models

    @cached_property
    def closed_models(self):
        return {model for model, _name in self.fields}

    def domain(self, env, model):
        """:param env: of the connection's user
        :return: the domain of a model's records that exist; None for all
        """
        if not self.is_partly(model):
            return None
        return Domain(evaluate(self.rules[model].domain, values_of(env)))


def compile_rules(env, lines):
    """Work out the rules of a policy.

    :param env: any; nothing is read with it
    :param lines: as ``DoormanModelRule._wire`` tells them
    :return: Rules, or None if there are none
    """
    if not lines:
        return None
    rules, others, fields = {}, None, {}
    for line in lines:
        rule = Rule(frozenset(o for o in OPERATIONS if line[o]), line["domain"])
        if line["model"]:
            rules[line["model"]] = rule
        else:
            others = rule
        # What is hidden by one line stays so, whatever another one masks.
        for name in line["masked"]:
            _close(env, fields, line["model"], name, masked=True)
    for line in lines:
        for name in line["hidden"]:
            _close(env, fields, line["model"], name, masked=False)
    some = [model for model, rule in rules.items() if rule.domain and model in env]
    for model in some:
        # Only these show more of a record that is not there than that it is linked to.
        for key in carriers.that_tell_names(env, model) | carriers.by_hand(model):
            if key[0] in env:
                fields.setdefault(key, Closed(HIDDEN, model))
    called = carriers.names_told(env, fields)
    names = {model: fields[key] for model, key in called.items()}
    told = list(names.values())
    for model, other in carriers.called_by(env, {*names, *some}).items():
        names.setdefault(model, names.get(other) or Closed(HIDDEN, other))
    for closed in told:
        # A file or an activity shows the name of the record that it belongs to.
        for key in carriers.of_owners(env):
            fields.setdefault(key, closed)
    pool = env.registry
    hanging = frozenset(m for m in pool if closed_models.owner_field(pool, m))
    holding = frozenset(m for m in hanging if "res_field" in pool[m]._fields)
    files = {}
    for model, name in fields:
        if getattr(pool[model]._fields[name], "attachment", False):
            files.setdefault(model, set()).add(name)
    return Rules(rules, others, fields, names, hanging, files, holding)


def _close(env, fields, model, name, masked):
    if model not in env or name not in env[model]._fields:
        return
    named = f"{model}.{name}"
    for one in carriers.of(env, model, name):
        known = env[one[0]]._fields[one[1]]
        how = masks.kind_of(known) if masked else HIDDEN
        fields[one] = Closed(how or HIDDEN, named)


# ---- domains ----


def values_of(env):
    """:return: what the names in a domain stand for"""
    return {
        "uid": env.uid,
        "company_id": env.company.id,
        "company_ids": env.companies.ids,
    }


def evaluate(text, values):
    """A domain that is kept as text. It is data: the names that it may hold stand for
    numbers, and nothing in it is run.

    :param dict values: by name
    :raise ValueError: if it is anything else
    """
    try:
        tree = ast.parse(text.strip(), mode="eval")
    except (SyntaxError, RecursionError, MemoryError) as exc:
        raise ValueError(text) from exc
    found = ast.literal_eval(_Named(values).visit(tree))
    if not isinstance(found, list):
        raise ValueError(text)
    return found


class _Named(ast.NodeTransformer):
    def __init__(self, values):
        self.values = values

    def visit_Name(self, node):  # noqa: N802 ast calls it so
        if node.id not in self.values:
            raise ValueError(node.id)
        value = self.values[node.id]
        tree = ast.parse(repr(value), mode="eval")
        return ast.copy_location(tree.body, node)
