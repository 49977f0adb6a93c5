"""The words that a summary is put together from: what a call would do, in one sentence,
for who decides on it."""

from dataclasses import dataclass

from odoo.api import Environment
from odoo.tools import format_list

from ..policy.plain_text import plain

NAMES = 3
# Ends of labels that have no other form for several of them, or are one already.
UNCOUNTED = ("s", "ing", "ff", "data", "information", "equipment", "ware")


@dataclass(frozen=True)
class Words:
    """What a call is about, in the reader's language."""

    # Of who reads it.
    env: Environment
    # The label of the model.
    model: str
    # What the first records are called; "" if there are none.
    names: str
    # All of that: "contact Acme", "2 contacts: Acme, Beta"; in languages other than
    # English, whose words change, "Contact: Acme" and "2 records of Contact: ...".
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
    if count == 1:
        what = f"{within(label)} {named}" if _in_english(env) else f"{label}: {named}"
    else:
        what = f"{_counted(env, label, count)}: {named}"
    return Words(env, label, named, what)


def _in_english(env):
    return (env.lang or "en_US").startswith("en")


def _counted(env, label, count):
    """A number of records, "2 contacts"."""
    if _in_english(env) and label.isascii() and not label.lower().endswith(UNCOUNTED):
        return f"{count} {_several(within(label))}"
    return env._("%(count)s records of %(model)s", count=count, model=label)


def _several(noun):
    if noun.endswith("y") and not noun.endswith(("ay", "ey", "oy", "uy")):
        return noun[:-1] + "ies"
    return noun + ("es" if noun.endswith(("x", "z", "ch", "sh")) else "s")


def within(label):
    """An English label as it stands within a sentence: "Sales Order" is "sales order",
    "VAT" stays as it is."""
    return " ".join(
        word.lower() if word[:1].isupper() and word[1:].islower() else word
        for word in label.split(" ")
    )


def fields_within(env, labels):
    """Labels of fields as a sentence lists them: "phone and notes"."""
    if _in_english(env):
        labels = [within(label) for label in labels]
    return plain(format_list(env, labels), 100)


def read_summary(words, _call):
    """The summary of what reads."""
    return words.env._("Read %s", words.what if words.names else words.model)


def code_summary(words, call):
    """The summary of what runs the code or query that is sent."""
    code = call.kwargs[call.operation.code]
    return words.env._("Run this: “%s”", plain(code, 80))
