"""What a person reads of a call before they decide: what it would do, in their words.

call ── tried out, and undone ── its arguments, by labels and names ── before and after
     ── a summary
"""

from collections import Counter
from dataclasses import replace

from ..policy.ledger import DELETED
from ..policy.outward_notes import digest
from ..policy.plain_text import plain
from . import undo_words
from .describe import Describer
from .outward_words import for_a_person
from .preview import Tried, model_of, tell
from .text_losses import of_changes
from .words import read_summary, words_for

# States of documents that are not drafts any more, by the usual words of Odoo.
SETTLED = ("posted", "done", "paid", "sale", "purchase", "cancel", "locked")


def preview(env, call, tried=None):
    """Tell what a call would do. Nothing of it is left by now.

    :param env: of who is to read it, with all rights: labels are in its language
    :param call: with a Describer
    :param tried: what it did before it was undone (tools/preview.py), or the value of
        an operation that has told instead of done
    :return: values of ``doorman.approval``
    """
    operation, describer, model = call.operation, call.describer, model_of(call)
    ran = isinstance(tried, Tried)
    found = _told(call, tried, model._name) if ran else (tried or {}).get("changes", [])
    outward = tried.outward if ran else (tried or {}).get("outward", [])
    leaves, more = for_a_person(env, outward)
    changes = [
        describer.change(call.env[change.get("model", model._name)], change)
        for change in found
    ]
    own = [c for c in changes if not c.get("model")]
    if ran and tried.made:
        own = own[: tried.made]  # its lines are told below, and not in the summary
    ids = call.ids or []
    count = max(sum(not c.get("set_off") for c in own), len(ids))
    done = tried.changes if ran else ()
    lines = [c for c in done if c.asked and c.model != model._name]
    # What Odoo does to others of the same kind is not what was asked for.
    asked = [change for change in own if not change.get("set_off")] or own
    names = [change["name"] for change in asked]
    label, summary = _summary(env, call, model, names, count)
    english = env(context={**env.context, "lang": "en_US"})
    method = operation.method_argument
    return {
        "summary": summary,
        # For the AI tool, in English for every approver.
        "summary_told": _summary(english, call, model, names, count)[1],
        "model": call.model is not None and model._name,
        "model_label": call.model is not None and plain(label, 100),
        "orm_method": call.kwargs.get(method) if method else operation.name,
        "record_count": max(count, len(done)),
        "preview": {
            "changes": changes,
            "arguments": _arguments(call) + _where(env, call),
            "settled": _settled(model, ids),
            "reads": operation.reads,
            "ran": ran,
            "text": not ran,
            "untold": _untold(env, tried, found, model._name) if ran else [],
            "lines": bool(lines),
            "lost": of_changes(env, done, person=True),
            "stays": undo_words.stays(None, tried.stays, env) if ran else [],
            "outward": leaves,
            "more_outward": more,
            "outward_digest": digest(outward),
            "deletes_lines": any(
                c.kind == DELETED and (c.model != model._name or c.id not in ids)
                for c in done
            ),
        },
    }


def _summary(env, call, model, names, count):
    """:param env: of who reads it
    :return: what the model is called, and what the call would do, in one sentence
    """
    label = env["ir.model"]._get(model._name).name or model._name
    words = words_for(env, label, names, count)
    call = replace(call, describer=Describer(env))
    return label, (call.operation.summary or read_summary)(words, call)


def _told(call, tried, own):
    """What a call did, and the records that it does something else to: a message, say.

    :param str own: the model of the call
    """
    found = tell(call, tried)
    known = {(change.get("model", own), change["id"]) for change in found}
    for model, ident, name in tried.announced:
        if (model, ident) not in known:
            other = {} if model == own else {"model": model}
            found.insert(0, {"id": ident, "name": name} | other)
    return found


def _arguments(call):
    if call.operation.arguments:
        return call.operation.arguments(call)
    return call.describer.tree(call.kwargs)


def _untold(env, tried, found, own):
    """How many records it would change besides, by model: those that the user may not
    read, or that are too many to be told.

    :param str own: the model of those that name none
    """
    left = Counter(change.model for change in tried.changes)
    left -= Counter(change.get("model", own) for change in found)
    return [
        {"label": plain(env["ir.model"]._get(name).name or name, 80), "count": count}
        for name, count in left.items()
    ]


def _where(env, call):
    """In which companies and in which language, where that was asked for."""
    found, context = [], call.context
    if context.get("allowed_company_ids"):
        names = "; ".join(call.env.companies.sudo().mapped("name"))
        found.append({"label": env._("Companies"), "text": plain(names)})
    if context.get("lang"):
        text = plain(context["lang"], 20)
        found.append({"label": env._("Language"), "text": text})
    return found


def _settled(model, ids):
    """How many of the records are no longer drafts."""
    field = model._fields.get("state")
    if not ids or field is None or field.type != "selection":
        return 0
    records = model.browse(ids).sudo().exists()
    return len(records.filtered(lambda r: r.state in SETTLED))
