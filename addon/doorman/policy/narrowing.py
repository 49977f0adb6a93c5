"""Whether a change of a policy takes away and gives nothing: one rule for each field.

The counterpart of ``widening``, which lists what two administrators have to agree to:
here what is not surely stricter counts as wider, so that a field that nobody thought of
stays as it is. A pure rule over values, as ``_policy_wire`` of the API tells them.
"""

from . import ip_lists, recipients

# By how much is asked of people: "low" is low or higher.
TWO_APPROVERS = ("", "high", "medium", "low")
OPERATIONS = ("read", "create", "write", "delete")
# Of a model that no rule is about.
FREE = {**dict.fromkeys(OPERATIONS, True), "domain": "", "hidden": [], "masked": []}


def narrows(name, before, after):
    """Whether a field of a policy gets stricter, or stays as it is.

    :param str name: of ``RULES``
    :param before: its value; None for a list that restricts nothing
    :param after: the same, as it would be; of a limit, 0 for none
    :return: False also where the two cannot be compared
    """
    return before == after or RULES[name](before, after)


def _never(_before, _after):
    return False


def _goes_on(_before, after):
    return after is True


def _goes_off(_before, after):
    return after is False


def _fewer(before, after):
    """Of a list that allows."""
    return set(after) <= set(before)


def _some_of(before, after):
    """Of a list that allows everything where it is not kept."""
    return bool(after) and (before is None or set(after) <= set(before))


def _more(before, after):
    """Of a list that takes something away."""
    return set(before) <= set(after)


def _all_of(before, after):
    """Of lines that each make something wait."""
    return all(line in after for line in before)


def _lower(before, after):
    """Of a limit."""
    return 0 < after and (not before or after <= before)


def _sooner(before, after):
    """Of an end; None for never."""
    return after is not None and (before is None or after <= before)


def _asks_more(before, after):
    return TWO_APPROVERS.index(after) >= TWO_APPROVERS.index(before)


def _within(inner, outer):
    """Whether every address of some networks is in some others."""
    inner, outer = (
        [ip_lists.network(e) for e in ip_lists.parse("\n".join(lines))]
        for lines in (inner, outer)
    )
    return all(
        any(i.version == o.version and i.subnet_of(o) for o in outer) for i in inner
    )


def _from_fewer(before, after):
    # Lines that are all comments restrict nothing.
    if not ip_lists.parse("\n".join(after)):
        return False
    return not ip_lists.parse("\n".join(before)) or _within(after, before)


def _from_more(before, after):
    return _within(before, after)


def _to_fewer(before, after):
    before, after = (recipients.parse("\n".join(lines)) for lines in (before, after))
    return bool(after) and (not before or after <= before)


def _rules(before, after):
    """Of the rules per model: for no model may more be done than before."""
    if not before:
        return True
    if not after:
        # Any rule closes reports, SQL and Python as well.
        return False
    named = {line["model"] for line in (*before, *after)} | {""}
    return all(_stricter(_rule(before, m), _rule(after, m)) for m in named)


def _rule(lines, model):
    by_model = {line["model"]: line for line in lines}
    return by_model.get(model) or by_model.get("") or FREE


def _stricter(before, after):
    if any(after[o] and not before[o] for o in OPERATIONS):
        return False
    # Which of two domains leaves more records, nobody can tell from their text.
    if before["domain"] not in ("", after["domain"]):
        return False
    hidden, closed = set(after["hidden"]), {*after["hidden"], *after["masked"]}
    return set(before["hidden"]) <= hidden and set(before["masked"]) <= closed


RULES = {
    "scopes": _fewer,
    "read_only": _goes_on,
    "research_tools": _goes_off,
    "allowed_tools": _some_of,
    "allowed_models": _some_of,
    "companies": _some_of,
    "model_rules": _rules,
    "approval_tools": _more,
    "approval_rules": _all_of,
    "approve_outward": _goes_on,
    # Who decides is a choice, and not more or less.
    "approver": _never,
    "approver_group": _never,
    "two_approvers": _asks_more,
    "approval_expiry_hours": _lower,
    "allowed_ips": _from_fewer,
    "blocked_ips": _from_more,
    "recipient_domains": _to_fewer,
    "rate_limit_minute": _lower,
    "rate_limit_day": _lower,
    "rows_reply": _lower,
    "rows_day": _lower,
    "expires_at": _sooner,
}
