"""Which calls wait for a person.

    reads ────────────────────────────────── before they run, by what they name
    changes ──┬── a tool or risk that always waits ── before they run
              └── every other ── after they ran, by what the ledger noted; then undone

A pure rule over a policy; what is done about it is the gateway's (gateway/change.py).
"""

from .ledger import CREATED, DELETED, WRITTEN
from .shared import RISKS

# The tools that do the same by themselves as what a call asks for in its values: to
# delete a line by its order is to delete it.
MAKE, CHANGE, REMOVE = "create_records", "update_records", "delete_records"
TOOL_OF = {CREATED: MAKE, WRITTEN: CHANGE, DELETED: REMOVE}


class Differs(Exception):
    """What would leave the company is not what was shown to who approved it."""


class Waits(Exception):
    """A call waits for a person.

    :param tried: what it did before it was undone (tools/preview.py), or None if it has
        not run
    """

    def __init__(self, tried=None):
        super().__init__("It needs approval.")
        self.tried = tried


def read_waits(approval, tool, risk, models, count):
    """Whether a call that only reads waits.

    :param approval: the policy's part on approvals, or None: nothing waits
    :param str tool: its name
    :param str risk: of the tool; an unknown word counts as high
    :param models: technical names of the models that it reads
    :param int count: the records that it names
    """
    if not approval:
        return False
    if tool in approval["tools"]:
        return True
    return any(
        rule["reads"]
        and _is_of(rule, {tool})
        and _is_risky(rule, risk)
        and (not rule["model"] or rule["model"] in models)
        and _is_many(rule, count)
        for rule in approval["rules"]
    )


def always_waits(approval, tool, risk):
    """Whether a call that changes something waits whatever it changes."""
    if not approval:
        return False
    return tool in approval["tools"] or any(
        not rule["model"]
        and not rule["more_than"]
        and _is_of(rule, {tool})
        and _is_risky(rule, risk)
        for rule in approval["rules"]
    )


def change_waits(approval, risks, changes, outward=(), earlier=None):
    """Whether a call waits, by what it did.

    :param dict risks: risk by name, of each tool that it took
    :param changes: the ledger's
    :param outward: what of it leaves the company (outward_notes.py)
    :param earlier: ``earlier(rule, touched)``: how many other records the connection
        has changed within a day, unapproved, of those that a rule counts
    """
    if not approval:
        return False
    if outward and approval.get("outward"):
        return True
    if any(always_waits(approval, tool, risk) for tool, risk in risks.items()):
        return True
    records = {(change.model, change.id) for change in changes}
    risk = max(risks.values(), key=_level, default="")
    for rule in approval["rules"]:
        if not _is_of(rule, risks) or not _is_risky(rule, risk):
            continue
        touched = {one for one in records if rule["model"] in ("", one[0])}
        count = len(touched)
        if count and rule["per_day"] and not _is_many(rule, count):
            count += earlier(rule, touched)
        if count and _is_many(rule, count):
            return True
    return False


def counts_days(approval):
    """Whether a rule counts what a connection changes over a day."""
    return bool(approval) and any(rule["per_day"] for rule in approval["rules"])


def at_least(risk, least):
    """Whether a risk is this one or a higher one; an unknown one counts as high."""
    return _level(risk) >= _level(least)


def highest(risks):
    """:return: the highest of some risks; False if there is none"""
    return max(set(risks) & set(RISKS), key=RISKS.index, default=False)


def _is_risky(rule, risk):
    if rule["risk"] not in RISKS:
        return True  # none is named, or one that nobody knows
    return _level(risk) >= _level(rule["risk"])


def _is_of(rule, tools):
    return not rule["tool"] or rule["tool"] in tools


def _is_many(rule, count):
    return not rule["more_than"] or count > rule["more_than"]


def _level(risk):
    return RISKS.index(risk) if risk in RISKS else len(RISKS) - 1
