"""What a person reads of a call before they decide: what it would do, in their words.

call ── its arguments, by labels and names ── tried out ── before and after ── a summary
"""

from contextlib import suppress

from lxml import etree

from odoo.exceptions import AccessError, MissingError

from ..policy import custom_tool_text, gate
from ..policy.code_arguments import CODE_ARGUMENTS
from ..policy.plain_text import plain
from . import registry
from .describe import Describer

NAMES = 3
# What describing arguments that nobody has checked yet may end in.
MALFORMED = (
    *(AttributeError, IndexError, KeyError, TypeError, ValueError),
    *(AccessError, MissingError),
)
# Whose work is told in words, not as before and after.
TOLD = ("call_method", "message_post", "activity_schedule")
# States of documents that are not drafts any more, by the usual words of Odoo.
SETTLED = ("posted", "done", "paid", "sale", "purchase", "cancel", "locked")


def preview(env, guard, call):
    """Try a call out and tell what it would do. The caller undoes it.

    :param env: of who is to read it, with all rights: labels are in its language
    :param guard: the rules of the connection, for a dry run
    :param dict call: model, method, ids, kwargs, context
    :return: values of ``doorman.approval``
    """
    describer = guard.describer = Describer(env)
    model = guard.env[call["model"]] if call["model"] else guard.env["base"]
    # Before the trial: afterwards, what it deletes has no name any more. What
    # cannot be described is what the trial refuses, in better words.
    arguments = None
    with suppress(*MALFORMED):
        arguments = _arguments(describer, model, call)
    found = registry.run(guard, call)
    if arguments is None:
        arguments = _arguments(describer, model, call)
    arguments += _where(env, guard, call)
    changes = found.get("changes", []) if isinstance(found, dict) else []
    changes = [describer.change(model, change) for change in changes]
    label = env["ir.model"]._get(model._name).name or model._name
    ids = call["ids"] or []
    count = max(len(changes), len(ids))
    total = max(count, min(gate.records_of(model, call), gate.UNKNOWN))
    tools = {tool for tool, _model in gate.parts_of(model, call)}
    return {
        "summary": _summary(env, guard, call, label, changes, count),
        "model": call["model"] or False,
        "model_label": label if call["model"] else False,
        "orm_method": call["kwargs"].get("method")
        if call["method"] == "call_method"
        else call["method"],
        "record_count": total,
        "preview": {
            "changes": changes,
            "arguments": arguments,
            "settled": _settled(model, ids),
            "reads": registry.only_reads(call),
            "text": call["method"] in (*TOLD, *CODE_ARGUMENTS)
            or (custom_tool_text.name_of(call) and not any(c["rows"] for c in changes)),
            "lines": bool(tools),
            "deletes_lines": gate.REMOVE in tools,
        },
    }


def _summary(env, guard, call, label, changes, count):
    """What it would do, in one sentence."""
    label = plain(label, 60)
    names = [change["name"] for change in changes]
    named = ", ".join(plain(name, 60) for name in names[:NAMES])
    if len(names) > NAMES:
        named += env._(" and %s more", len(names) - NAMES)
    what = env._("%(count)s records of %(model)s", count=count, model=label)
    what = f"{label}: {named}" if count == 1 else f"{what}: {named}"
    method = call["method"]
    if method == "create":
        return env._("Create %s", what)
    if method == "unlink":
        return env._("Permanently delete %s", what)
    if method == "write":
        model = guard.env[call["model"]]
        rows = call["kwargs"].get("vals_each") or [call["kwargs"]["vals"]]
        named_fields = dict.fromkeys(n for row in rows for n in row)
        labels = [guard.describer.label(model, n) for n in named_fields]
        return env._(
            "Change %(fields)s of %(what)s",
            fields=plain(", ".join(labels), 100),
            what=what,
        )
    if method == "message_post":
        body = plain(call["kwargs"]["body"], 80)
        if call["kwargs"].get("kind") == "comment":
            return env._(
                "Post and e-mail to the followers of %(what)s: “%(body)s”",
                what=what,
                body=body,
            )
        return env._("Note on %(what)s: “%(body)s”", what=what, body=body)
    if method == "activity_schedule":
        kwargs = call["kwargs"]
        words = kwargs.get("summary") or kwargs.get("activity_type") or ""
        return env._(
            "Schedule an activity on %(what)s: “%(words)s”",
            what=what,
            words=plain(words, 80),
        )
    if custom_tool_text.name_of(call):
        title = custom_tool_text.title_of(guard.env, call)
        if not names:
            return env._("Run the tool “%s”", title)
        return env._("Run the tool “%(tool)s”: %(what)s", tool=title, what=what)
    if method in CODE_ARGUMENTS:
        return env._(
            "Run this: “%s”", plain(call["kwargs"][CODE_ARGUMENTS[method]], 80)
        )
    if method == "call_method":
        action = _button(env, guard, call)
        if not names:
            return env._("%(do)s (%(model)s)", do=action, model=label)
        return env._("%(do)s: %(what)s", do=action, what=what)
    return env._("Read %s", label if not named else what)


def _button(env, guard, call):
    """What a method is called on its button, if it has one."""
    name = call["kwargs"]["method"]
    model = guard.env[call["model"]].with_context(lang=env.lang)
    form = model.get_views([(False, "form")])["views"]["form"]["arch"]
    titles = etree.fromstring(form).xpath("//button[@name=$n]/@string", n=name)
    if titles:
        return f"“{plain(titles[0], 60)}” ({name})"
    return env._("Run %s", name)


def _where(env, guard, call):
    """In which companies and in which language, where that was asked for."""
    found, context = [], call["context"]
    if context.get("allowed_company_ids"):
        names = "; ".join(guard.env.companies.sudo().mapped("name"))
        found.append({"label": env._("Companies"), "text": plain(names)})
    if context.get("lang"):
        text = plain(context["lang"], 20)
        found.append({"label": env._("Language"), "text": text})
    return found


def _arguments(describer, model, call):
    kwargs = call["kwargs"]
    if custom_tool_text.name_of(call):
        return custom_tool_text.in_words(describer, model.env, call)
    if call["method"] == "create":
        return [
            {"label": f"{number}.", "rows": describer.values(model, row)}
            for number, row in enumerate(kwargs["vals_list"], 1)
        ]
    if call["method"] == "write" and kwargs.get("vals_each"):
        return [
            {"label": f"#{ident}", "rows": describer.values(model, row)}
            for ident, row in zip(call["ids"], kwargs["vals_each"], strict=True)
        ]
    if call["method"] == "write":
        return describer.values(model, kwargs["vals"])
    if call["method"] == "call_method":
        return describer.tree(kwargs.get("kwargs") or {})
    if call["method"] == "message_post" and kwargs.get("partner_ids"):
        people = _people(model, kwargs["partner_ids"])
        kwargs = kwargs | {"partner_ids": people}
    return describer.tree(kwargs)


def _settled(model, ids):
    """How many of the records are no drafts any more."""
    field = model._fields.get("state")
    if not ids or field is None or field.type != "selection":
        return 0
    records = model.browse(ids).sudo().exists()
    return len(records.filtered(lambda r: r.state in SETTLED))


def _people(model, ids):
    """Whom a message would reach, by name and address."""
    partners = model.env["res.partner"].browse(ids)
    return [f"{p.display_name} <{p.email or '-'}>" for p in partners]
