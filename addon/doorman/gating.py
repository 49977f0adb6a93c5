"""Which calls wait for a person: a pure rule over a policy, and how many records a
call is about. The service decides by the same rule (server/access); what is counted
here also sees the records that hang on others.
"""

RISKS = ("low", "medium", "high")
# More than any rule's number: how many there are is only known once it is done.
UNKNOWN = 1_000_000
# Commands of a one2many or many2many (odoo/orm/commands.py).
CREATE, UPDATE, DELETE, UNLINK, LINK, CLEAR, SET = range(7)


def needs_approval(approval, tool, risk, writes, model, count):
    """Whether a call waits for a person.

    :param approval: the policy's part on approvals, or None: nothing waits
    :param str tool: its name
    :param str risk: of the tool; a word that is none of ours counts as high
    :param bool writes: whether the tool changes something
    :param str model: technical name, or ""
    :param int count: the records that it is about
    """
    if not approval:
        return False
    if tool in approval["tools"]:
        return True
    return any(_matches(rule, risk, writes, model, count) for rule in approval["rules"])


def _matches(rule, risk, writes, model, count):
    if not (writes or rule["reads"]):
        return False
    if rule["risk"] and _level(risk) < _level(rule["risk"]):
        return False
    if rule["model"] and rule["model"] != model:
        return False
    return count > rule["more_than"] if rule["more_than"] else True


def _level(risk):
    return RISKS.index(risk) if risk in RISKS else len(RISKS) - 1


def records_of(model, request):
    """How many records a request is about, those included that its commands make,
    change or delete.

    :param model: the empty recordset of the request's model
    :param dict request: ids, kwargs
    """
    ids, kwargs = request.get("ids"), request.get("kwargs")
    kwargs = kwargs if isinstance(kwargs, dict) else {}
    direct = len(ids) if isinstance(ids, list) else 0
    rows = kwargs.get("vals_list")
    if isinstance(rows, list):
        return len(rows) + sum(_below(model, row) for row in rows)
    # The same values go to each.
    return direct + max(1, direct) * _below(model, kwargs.get("vals"))


def _below(model, vals, depth=0):
    if not isinstance(vals, dict):
        return 0
    return sum(
        _commanded(model, model._fields[name], value, depth)
        for name, value in vals.items()
        if name in model._fields
        and model._fields[name].type in ("one2many", "many2many")
        and isinstance(value, list)
    )


def _commanded(model, field, commands, depth):
    if depth > 4:
        return UNKNOWN
    total = 0
    comodel = model.env[field.comodel_name]
    for command in commands:
        if not isinstance(command, list) or not command:
            continue
        code = command[0]
        if code in (CREATE, UPDATE):
            total += 1 + _below(comodel, command[2:] and command[2], depth + 1)
        elif code == DELETE:
            total += 1
        elif field.type == "one2many":
            # To put a line in or out changes the line; CLEAR and SET delete those
            # that are there, however many.
            total += 1 if code in (LINK, UNLINK) else UNKNOWN
    return total
