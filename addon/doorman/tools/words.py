"""The words that a summary is put together from: what a call would do, in one sentence,
for who decides on it."""

from dataclasses import dataclass

from odoo.api import Environment

from ..policy.plain_text import plain

NAMES = 3


@dataclass(frozen=True)
class Words:
    """What a call is about, in the reader's language."""

    # Of who reads it.
    env: Environment
    # The label of the model.
    model: str
    # What the first records are called; "" if there are none.
    names: str
    # All of that: "Contact: Acme", "2 records of Contact: Acme, Beta".
    what: str


def words_for(env, label, names, count):
    """:param env: of who reads it
    :param str label: of the model
    :param list names: of the records that are known, as texts
    :param int count: how many records there are
    :return: Words
    """
    label = plain(label, 60)
    named = ", ".join(plain(name, 60) for name in names[:NAMES])
    if len(names) > NAMES:
        named += env._(" and %s more", len(names) - NAMES)
    what = env._("%(count)s records of %(model)s", count=count, model=label)
    what = f"{label}: {named}" if count == 1 else f"{what}: {named}"
    return Words(env, label, named, what)


def read_summary(words, _call):
    """The summary of what reads."""
    return words.env._("Read %s", words.what if words.names else words.model)


def code_summary(words, call):
    """The summary of what runs the code or query that is sent."""
    code = call.kwargs[call.operation.code]
    return words.env._("Run this: “%s”", plain(code, 80))
