"""Which calls wait for a person: a pure rule over a policy, and how many records a
call is about. The service decides by the same rule (server/access); what is counted
here also sees the records that hang on others.
"""

from typing import NamedTuple

RISKS = ("low", "medium", "high")
# More than any rule's number: how many there are is only known once it is done.
UNKNOWN = 1_000_000
# Commands of a one2many or many2many (odoo/orm/commands.py).
CREATE, UPDATE, DELETE, UNLINK, LINK, CLEAR, SET = range(7)
# The tools that do the same by themselves.
MAKE, CHANGE, REMOVE = "create_records", "update_records", "delete_records"
MAX_DEPTH = 4


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
    ids, kwargs = request.get("ids"), _arguments(request)
    direct = len(ids) if isinstance(ids, list) else 0
    rows = kwargs.get("vals_list")
    if isinstance(rows, list):
        return len(rows) + sum(
            part.count for row in rows for part in _below(model, row, new=True)
        )
    each = kwargs.get("vals_each")
    if isinstance(each, list):
        return direct + sum(part.count for row in each for part in _below(model, row))
    # The same values go to each.
    below = sum(part.count for part in _below(model, kwargs.get("vals")))
    return direct + max(1, direct) * below


def parts_of(model, request):
    """What the commands of a request do to the records that hang on others: to delete a
    line by its order is to delete it.

    :param model: the empty recordset of the request's model
    :param dict request: kwargs
    :return: a set of ``(tool, technical name of the model)``
    """
    kwargs = _arguments(request)
    rows = kwargs.get("vals_list")
    if isinstance(rows, list):
        below = [part for row in rows for part in _below(model, row, new=True)]
    else:
        each = kwargs.get("vals_each")
        each = each if isinstance(each, list) else [kwargs.get("vals")]
        below = [part for row in each for part in _below(model, row)]
    return {(part.tool, part.model) for part in below}


class Part(NamedTuple):
    """Records of a model to which a command does what is a tool's to do."""

    tool: str
    model: str
    count: int


def _arguments(request):
    kwargs = request.get("kwargs")
    return kwargs if isinstance(kwargs, dict) else {}


def _below(model, vals, depth=0, new=False):
    """:param bool new: whether the record is made just now: nothing hangs on it yet
    :return: the parts of all commands, at every depth
    """
    if not isinstance(vals, dict):
        return []
    return [
        part
        for name, commands in vals.items()
        if name in model._fields
        and model._fields[name].type in ("one2many", "many2many")
        and isinstance(commands, list)
        for command in commands
        if isinstance(command, list) and command
        for part in _commanded(model, model._fields[name], command, depth, new)
    ]


def _commanded(model, field, command, depth, new):
    name = field.comodel_name
    if depth > MAX_DEPTH:
        return [Part(tool, name, UNKNOWN) for tool in (MAKE, CHANGE, REMOVE)]
    code, ident, arg = (*command, 0, 0)[:3]
    comodel = model.env[name]
    if code == CREATE:
        return [Part(MAKE, name, 1), *_below(comodel, arg, depth + 1, new=True)]
    if code == UPDATE:
        return [Part(CHANGE, name, 1), *_below(comodel, arg, depth + 1)]
    if code == DELETE:
        return [Part(REMOVE, name, 1)]
    if field.type == "many2many":
        return []
    # To put a line in or out changes the line, or deletes it where it is nothing
    # without its document; CLEAR and SET take out those that are there, however many.
    found = []
    if code == LINK:
        found.append(Part(CHANGE, name, 1))
    elif code == SET and isinstance(arg, list) and arg:
        found.append(Part(CHANGE, name, len(arg)))
    if code not in (LINK, SET, CLEAR) or (code != LINK and not new):
        out = REMOVE if _goes_with_it(comodel, field) else CHANGE
        found.append(Part(out, name, 1 if code == UNLINK else UNKNOWN))
    return found


def _goes_with_it(comodel, field):
    """Whether a line that is taken out is deleted, or must not be on its own."""
    inverse = comodel._fields.get(field.inverse_name or "")
    if inverse is None:
        return True
    return inverse.required or getattr(inverse, "ondelete", None) == "cascade"
