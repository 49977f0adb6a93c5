"""What a person reads of a call before they decide: what it would do, in their words.

call ── tried out, and undone ── its arguments, by labels and names ── before and after
     ── a summary
"""

from lxml import etree

from ..policy import custom_tool_text
from ..policy.code_arguments import CODE_ARGUMENTS
from ..policy.ledger import DELETED
from ..policy.plain_text import plain
from . import registry
from .preview import Tried, tell

NAMES = 3
# States of documents that are not drafts any more, by the usual words of Odoo.
SETTLED = ("posted", "done", "paid", "sale", "purchase", "cancel", "locked")


def preview(env, guard, call, tried=None):
    """Tell what a call would do. Nothing of it is left by now.

    :param env: of who is to read it, with all rights: labels are in its language
    :param guard: the rules of the connection, with a Describer
    :param dict call: model, method, ids, kwargs, context
    :param tried: what it did before it was undone (tools/preview.py), or the value of
        an operation that has told instead of done
    :return: values of ``doorman.approval``
    """
    describer = guard.describer
    model = guard.env[call["model"]] if call["model"] else guard.env["base"]
    ran = isinstance(tried, Tried)
    found = tell(guard, tried, model) if ran else (tried or {}).get("changes", [])
    changes = [
        describer.change(guard.env[change.get("model", model._name)], change)
        for change in found
    ]
    own = [c for c in changes if not c.get("model")]
    label = env["ir.model"]._get(model._name).name or model._name
    ids = call["ids"] or []
    count = max(sum(not c.get("set_off") for c in own), len(ids))
    done = tried.changes if ran else ()
    lines = [c for c in done if c.asked and c.model != model._name]
    return {
        "summary": _summary(env, guard, call, label, own, count),
        "model": call["model"] or False,
        "model_label": label if call["model"] else False,
        "orm_method": call["kwargs"].get("method")
        if call["method"] == "call_method"
        else call["method"],
        "record_count": max(count, len(done)),
        "preview": {
            "changes": changes,
            "arguments": _arguments(describer, model, call) + _where(env, guard, call),
            "settled": _settled(model, ids),
            "reads": registry.only_reads(call),
            "ran": ran,
            "text": not ran,
            "untold": _untold(env, tried, found) if ran else [],
            "lines": bool(lines),
            "deletes_lines": any(
                c.kind == DELETED and (c.model != model._name or c.id not in ids)
                for c in done
            ),
        },
    }


def _untold(env, tried, found):
    """How many records it would change besides, by model: those that the user may not
    read, or that are too many to be told."""
    told = {}
    for change in found:
        told[change.get("model")] = told.get(change.get("model"), 0) + 1
    counts = {}
    for change in tried.changes:
        counts[change.model] = counts.get(change.model, 0) + 1
    own = tried.changes[0].model if tried.changes else ""
    return [
        {
            "label": env["ir.model"]._get(name).name or name,
            "count": count - told.get(name, told.get(None, 0) if name == own else 0),
        }
        for name, count in counts.items()
        if count > told.get(name, told.get(None, 0) if name == own else 0)
    ]


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
