"""What an undo would do, and what it would leave, in words."""

from ..policy import looks
from ..policy.plain_text import plain
from ..policy.refusal import _lt, joined
from . import outward_words

MAX_SENTENCES = 20


def summary(env, kept):
    """:param env: of who reads it
    :param dict kept: of the change that is undone
    :return: a sentence
    """
    labels = [_label(env, name) for name in kept["models"]]
    models = plain(", ".join(labels), 100) or "-"
    count = sum(1 for row in kept["rows"] if row["asked"])
    names = {"models": models, "tool": kept["tool"]}
    return (
        env._("Undo a change to one record of %(models)s, made by %(tool)s", **names)
        if count == 1
        else env._(
            "Undo a change to %(count)s records of %(models)s, made by %(tool)s",
            count=count,
            **names,
        )
    )


def argument(env, kept):
    """The change that is undone, as a page shows what was asked for."""
    text = f"{kept['made_at']} (UTC), {kept['tool']}"
    return {"label": env._("Change made on"), "text": text}


def never(guard, kept):
    """:return: why a change is not undone at all, in words of ``_lt``"""
    return joined(_never(guard, kept, one) for one in kept["never"])


def _never(guard, kept, one):
    if one["kind"] == "deleted" and not guard.may_use(one["model"]):
        return _lt("Odoo deleted other records, which are not stored.")
    if one["kind"] == "deleted":
        return _lt(
            "It deleted records of %(model)s, which are not stored.",
            model=_label(guard.env, one["model"]),
        )
    if one["kind"] == "tool":
        return _lt(
            "It was done by %(tool)s, whose work cannot be undone by restoring old "
            "values.",
            tool=kept["tool"],
        )
    if one["kind"] == "code":
        return _lt("All of it was done by Odoo's own code.")
    return _lt("It was too large to be stored.")


def stays(guard, entries, env=None):
    """What an undo leaves, as sentences.

    :param guard: the rules of the connection that reads it; None for a person
    :param env: of the person
    """
    env = env or guard.env
    sent = [one["what"] for one in entries if one["kind"] == "outward"]
    found = outward_words.sentences(env, sent, guard)
    numbers = [one["number"] for one in entries if one["kind"] == "number"]
    if numbers:
        # They may be of records that this connection does not see.
        limited = guard is not None and looks.is_limited(guard)
        text = str(len(numbers)) if limited else plain(", ".join(numbers), 200)
        found.append(env._("Sequence numbers stay used: %s.", text))
    found += [
        _left(guard, env, one) for one in entries if one["kind"] in ("record", "value")
    ]
    if len(found) > MAX_SENTENCES:
        more = len(found) - MAX_SENTENCES
        found = [*found[:MAX_SENTENCES], env._("And %s more.", more)]
    return found


def _left(guard, env, one):
    model = one["model"]
    if guard is not None and not guard.may_use(model):
        return env._("Something that Odoo did to other records.")
    if one["kind"] == "record":
        return env._(
            "%(model)s %(id)s, which Odoo also created.",
            model=model if guard else _label(env, model),
            id=one["id"],
        )
    name = one["field"]
    if guard is not None and not looks.is_told(guard, model, name):
        return env._(
            "A value of %(model)s %(id)s that is not shown.", model=model, id=one["id"]
        )
    if guard is None and name in env[model]._fields:
        field = env[model]._fields[name]
        name = field._description_string(env) or name
    return env._(
        "%(field)s of %(model)s %(id)s.",
        field=plain(name, 80),
        model=model if guard else _label(env, model),
        id=one["id"],
    )


def _label(env, name):
    return plain(env["ir.model"]._get(name).name or name, 60)
