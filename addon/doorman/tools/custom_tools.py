"""Own tools: a server action that an administrator has published, run for a connection.

request ── published, as it was looked at ── the model ── the records ── the parameters
        ── the action, as the connection's user ── what it answers
"""

import json

from ..policy.custom_tool_run import OwnRun, running
from ..policy.plain_text import shortened
from ..policy.redact_links import withhold_links
from ..policy.refusal import Refusal, _lt
from ..policy.shared import MAX_RECORDS
from ..policy.withhold import withhold
from . import custom_tool_parameters, custom_tool_text, row_counts
from .arguments import only
from .changed_records import answer, records_to_change, settle
from .methods import as_data, summary
from .operations import operation
from .preview import named

MAX_RESULT = 20_000

# What the two have in common: which tool it is, their arguments say.
OWN_TOOL = {
    "tool": "",
    "tool_argument": "tool",
    "summary": custom_tool_text.summary,
    "arguments": custom_tool_text.arguments,
    "points_at": custom_tool_text.points_at,
    "beyond_rules": True,
}


@operation("run_tool", reads=False, dry_run=True, known_once_done=True, **OWN_TOOL)
def run_tool(call):
    """An own tool that may change something."""
    guard = call.guard
    tool, records, values = _checked(call, reads=False)
    if call.dry_run and not tool.can_try:
        if not call.describer:
            raise Refusal(
                "no_dry_run",
                _lt("%(tool)s does not support dry runs.", tool=tool.name),
                _lt(
                    "Its administrator did not state that everything it does can be "
                    "undone."
                ),
            )
        return named(records)
    found = _run(guard, tool, records, values)
    left = records.exists()
    settle(guard, left)
    return answer(guard, left) | found


@operation(
    "look_tool",
    reads=True,
    runs_code=True,
    scope="",
    rows=row_counts.named,
    **OWN_TOOL,
)
def look_tool(call):
    """An own tool that only reads. The gateway undoes whatever it did: that nothing
    is changed does not rest on what its administrator believes."""
    tool, records, values = _checked(call, reads=True)
    if call.describer:
        return named(records)
    return _run(call.guard, tool, records, values) | {"ids": records.ids}


def _checked(call, reads):
    """:return: the tool, the records that it works on, its parameters"""
    guard, kwargs = call.guard, call.kwargs
    only(kwargs, "tool", "revision", "parameters")
    tool = guard.env["doorman.own.tool"]._published(kwargs.get("tool"))
    if kwargs.get("revision") != tool.revision:
        # What a person has approved, and what an AI tool has read of it, was another.
        raise Refusal(
            "custom_tool_replaced",
            _lt(
                "%(tool)s has changed since it was reviewed; nothing was done.",
                tool=tool.name,
            ),
            _lt("Call tools/list to see what it does now."),
        )
    if call.model._name != tool.model_name or reads != tool.only_reads:
        raise Refusal(
            "malformed_arguments",
            _lt(
                "%(tool)s cannot be called on this model, or not in this way.",
                tool=tool.name,
            ),
        )
    records = _records(call, tool, reads)
    given = kwargs.get("parameters")
    values = custom_tool_parameters.check(
        guard, tool._parameters(), {} if given is None else given
    )
    return tool, records, values


def _records(call, tool, reads):
    ids = call.ids
    if not tool.on_records:
        if ids:
            raise Refusal(
                "ids_not_taken",
                _lt(
                    "%(tool)s does not work on records: leave the ids out.",
                    tool=tool.name,
                ),
            )
        return call.model
    if not reads:
        records = records_to_change(call)
    else:
        records = call.guard.records(call.model, ids).exists()
        if len(records) != len(ids) or len(ids) > MAX_RECORDS:
            raise Refusal(
                "unknown_record",
                _lt("Some of these records do not exist, or are listed twice."),
                _lt(
                    "Specify at most %(most)s; use search_records to find their ids.",
                    most=MAX_RECORDS,
                ),
            )
    records.check_access("read")
    return records


def _run(guard, tool, records, values):
    """Run the action. Odoo checks its groups; of an action without any, that the user
    may write the model and the records."""
    context = {}
    if records:
        context = {
            "active_model": records._name,
            "active_ids": records.ids,
            "active_id": records.ids[0],
        }
    # A look is undone, and Odoo's own check wants the right to write all the same: the
    # same people may run it here as from the menu.
    env = guard.env(context={**guard.env.context, **context})
    action = tool.action_id
    with running(env.cr, OwnRun(env, tool._tree().ids, values)) as run:
        opened = env["ir.actions.server"].browse(action.id).run()
        guard.env.cr.flush()
    found = {}
    if isinstance(opened, dict) and opened.get("type"):
        found = summary(guard, opened)
        found.pop("wizard", None)
    if run.result is not None:
        found |= _told(guard, run.result)
    return found


def _told(guard, result):
    """What the action's code has put into ``result``."""
    if hasattr(result, "_name"):
        return summary(guard, result)
    if not isinstance(result, str):
        result = json.dumps(withhold(result), ensure_ascii=False, default=as_data)
    return {"result": shortened(withhold_links(result), MAX_RESULT)}
