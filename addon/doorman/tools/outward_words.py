"""What leaves the company, in words: for who decides, and for a dry run."""

from ..policy import in_force, outward_notes
from ..policy.plain_text import plain

MAX_SENTENCES = 10
CONTACTS = "res.partner"


def kinds(env):
    """Kind of ``outward.told`` -> what it is, and what a person should know of it."""
    return {
        "email": (env._("Email"), ""),
        "notice": (env._("Email"), ""),
        "scheduled": (env._("Message"), env._("Odoo sends it later.")),
        "sms": (env._("Text message"), ""),
        "letter": (env._("Letter by post"), ""),
        "portal": (
            env._("Comment"),
            env._("Nobody gets an email; it can be read in the customer portal."),
        ),
        "channel": (env._("Message in a conversation with people outside"), ""),
        "member": (env._("New member of a conversation"), ""),
        "follower": (
            env._("New follower"),
            env._("From now on, they get everything that is written there."),
        ),
        "shared": (env._("Shared document, or an email that Odoo sends later"), ""),
        "public": (env._("Published for everyone"), ""),
        "later": (env._("Odoo sends it later, by email or post"), ""),
        "redirect": (
            env._("New address"),
            env._("From now on, emails meant for them go to this address."),
        ),
        "network": (
            env._("Contact with another system"),
            env._("What it sends there is not known in advance."),
        ),
        "hook": (
            env._("Work after saving"),
            env._("What this code sends is not known in advance."),
        ),
    }


def for_a_person(env, entries):
    """The entries as a page shows them.

    :return: a list of dicts with ``label``, ``note`` and what ``outward.told`` has, and
        how many more there are
    """
    words, (first, more) = kinds(env), outward_notes.shown(entries)
    found = []
    for entry in first:
        label, note = words.get(entry["kind"], (entry["kind"], ""))
        found.append(entry | {"label": label, "note": note})
    return found, more


def tells_addresses(guard):
    """Whether a connection may be told to which addresses something goes."""
    return guard.may_use(CONTACTS) and CONTACTS not in guard.asks_to_read


def sentences(env, entries, guard=None):
    """The same for a dry run, a sentence each.

    :param guard: the rules of the connection that reads it; None for a person
    """
    words, found = kinds(env), []
    # Who gets what, and about what, may be nothing that this connection reads.
    limited = in_force.of(env) is not None
    limited = limited or (guard is not None and not tells_addresses(guard))
    for entry in entries[:MAX_SENTENCES]:
        label = words.get(entry["kind"], (entry["kind"], ""))[0]
        if limited:
            found.append(env._("It leaves the company: %s.", label))
            continue
        to = plain("; ".join(entry["to"]), 300) or entry.get("about", "")
        about = entry.get("subject") or (entry.get("about", "") if entry["to"] else "")
        text = env._("It leaves the company. %(what)s: %(to)s", what=label, to=to)
        found.append(f"{text}, “{about}”" if about else text)
    if len(entries) > MAX_SENTENCES:
        found.append(
            env._("And %s more leave the company.", len(entries) - MAX_SENTENCES)
        )
    return found
