"""What of a change leaves the company, noted while it runs.

the ledger ── rows made, changed, deleted ──┐
the mail server ── emails past the queue ──┼── entries ──┬── the gate: does it wait?
the network ── while it is only tried out ──┤             ├── what a person reads
hooks ── what code runs after saving ───────┘             └── is it what was approved?
"""

import hashlib
import re

from . import canonical_json, outward, recipients
from .plain_text import plain
from .refusal import Refusal, _lt

MAX_TOLD, MAX_MADE, MAX_NAMED = 50, 200, 10
COMPARED = ("kind", "to", "more_to", "sender", "reply_to", "same")
# What follows the path of an address: Odoo makes much of it anew each time.
QUERY = re.compile(r"(\w+://[^\s?]+)\?\S*")
# Code that runs after saving, and sends nothing but what is noted anyway.
HARMLESS_HOOKS = (
    "odoo.addons.account.models.partner",
    "odoo.addons.base.models.ir_cron",
    "odoo.addons.bus.",
    "odoo.addons.mail.models.mail_mail",
    "odoo.modules.",
    "odoo.orm.",
)


class RecipientRefused(Refusal):
    """Something would be mailed to where the policy does not let it go.

    :param domains: as of ``recipients.parse``
    :param unfit: the addresses
    :param bool hidden: whether they may be nothing that the connection reads
    """

    def __init__(self, domains, unfit, hidden=False):
        unfit = list(dict.fromkeys(plain(one, 100) for one in unfit))
        named = ", ".join(unfit[:MAX_NAMED])
        if len(unfit) > MAX_NAMED:
            named += f" (+{len(unfit) - MAX_NAMED})"
        if hidden:
            named = str(len(unfit))
        super().__init__(
            "recipient_not_allowed",
            _lt(
                "This connection can only send emails to %(domains)s, and this would "
                "go to: %(addresses)s. Nothing was sent.",
                domains=", ".join(sorted(domains)[:MAX_NAMED]),
                addresses=named,
            ),
            _lt(
                "Leave these recipients out. An MCP administrator can allow their "
                "domains."
            ),
        )


class Notes:
    """The outward part of a ledger."""

    def __init__(self, env, trial=None):
        self.env = env
        # A Trial while all of it can be undone.
        self.trial = trial
        # (model, id) -> what is said about it; None as long as nobody has looked
        self.rows = {}
        # Ids of files that were made.
        self.files = set()
        self.mails = []
        self.found = []
        # The domains that emails may go to, as of ``recipients.parse``; and what of
        # the addresses that they would go to is not among them.
        self.domains = frozenset()
        self.unfit, self.hidden = [], False
        self.hooks = len(env.cr.postcommit._funcs)

    # ---- while it runs ----

    def created(self, records):
        if records._name == "ir.attachment":
            self.files.update(records._ids)
        if records._name in outward.ROWS:
            self.rows.update({(records._name, ident): None for ident in records._ids})

    def written(self, records, vals_list):
        names = outward.SENT_AGAIN.get(records._name)
        if not names:
            return
        for record, vals in zip(records, vals_list, strict=True):
            # Sent, failed or cancelled: what has become of it does not send it.
            if vals.get("state", outward.OUTGOING) != outward.OUTGOING:
                continue
            if names & vals.keys():
                self.rows.setdefault((records._name, record.id), None)

    def gone(self, model, ids):
        """Look at rows before they are deleted: they may have done their work."""
        for ident in ids:
            if self.rows.get((model, ident), ()) is None:
                self.rows[model, ident] = self._read(model, [ident]).get(ident)

    def mail(self, message):
        """An email that is handed to the mail server.

        :param message: email.message.Message
        """
        names = ("To", "Cc", "Bcc")
        to = [str(message[name]) for name in names if message[name]]
        self.hold(to)  # before it is sent
        self.check()
        if outward.outside_addresses(self.env, *to):
            subject = plain(str(message["Subject"] or ""), 500)
            self.mails.append(outward.told("email", to, subject=subject))

    # ---- where emails may go ----

    def only_to(self, guard):
        """:param guard: the rules of the connection"""
        self.domains, self.hidden = guard.domains, guard.rules is not None

    def hold(self, texts, new=False):
        """Note which addresses do not fit.

        :param texts: with addresses
        :param bool new: whether nobody's address is one of ours yet
        """
        if not self.domains or not texts:
            return
        inside = () if new else outward.inside_addresses(self.env)
        for text in texts:
            self.unfit += recipients.unfit(self.domains, text, inside)

    def check(self):
        """:raise RecipientRefused: if something would be mailed to where it may not"""
        if self.unfit:
            raise RecipientRefused(self.domains, self.unfit, self.hidden)

    # ---- in the end ----

    def close(self, changes, made=()):
        """:param changes: what the ledger has found
        :param made: holds ``(model, id)`` of what was made and is there
        """
        by_model = {}
        for (model, ident), known in self.rows.items():
            if known is None:
                by_model.setdefault(model, []).append(ident)
        for model, ids in by_model.items():
            there = [ident for ident in ids if (model, ident) in made]
            for ident, entry in self._read(model, ids, there).items():
                self.rows[model, ident] = entry
        found = [entry for entry in self.rows.values() if entry]
        mailed = {e.get("about") for e in found if e["kind"] == "email"}
        # Its email tells it already.
        found = [e for e in found if e["kind"] != "portal" or e["about"] not in mailed]
        own = (outward.of_change(self.env, change) for change in changes)
        found += [entry for entry in own if entry]
        if not any(entry["kind"] == "email" for entry in found):
            found += self.mails
        found += [
            outward.told("hook", about=name)
            for name in map(_module, self.env.cr.postcommit._funcs)
            if not name.startswith(HARMLESS_HOOKS)
        ][self._before() :]
        for entry in found:
            self.hold(entry.pop("mailed", ()), new=entry["kind"] == "redirect")
        self.found = found
        if found:
            self._compare_by(changes)

    def _compare_by(self, changes):
        """Add by what each entry is compared with another try: another try draws other
        numbers and ids for what it makes, and writes other files."""
        made = [c for c in changes if c.kind == "created"][:MAX_MADE]
        known = []
        for change in made:
            record = self.env[change.model].sudo().browse(change.id)
            known.append((change.id, plain(record.display_name or "", 200)))
        # Longer names first: one may be a part of another.
        known.sort(key=lambda pair: -len(pair[1]))
        sums = {f["sum"] for e in self.found for f in e.get("files", ())}
        domain = [("checksum", "in", list(sums)), ("id", "not in", list(self.files))]
        old = self.env["ir.attachment"].sudo().search(domain) if sums else ()
        kept = {file.checksum for file in old}
        for entry in self.found:
            entry["same"] = _alike(entry, known, kept)

    def _before(self):
        """How many such hooks there were when it began."""
        before = list(self.env.cr.postcommit._funcs)[: self.hooks]
        return sum(not _module(f).startswith(HARMLESS_HOOKS) for f in before)

    def _read(self, model, ids, there=()):
        """:param there: those of the ids that are known to be there
        :return: what is said about rows that still exist and leave
        """
        rows = self.env[model].sudo().browse(ids)
        if set(ids) != set(there):
            rows = rows.exists()
        found = {row.id: outward.ROWS[model](row) for row in rows}
        return {ident: entry for ident, entry in found.items() if entry}

    def entries(self):
        """:return: all that leaves, as ``outward.told``; the network too, as far as it
        was only tried"""
        return self.found + self.over_the_network()

    def over_the_network(self):
        hosts = dict.fromkeys(self.trial.hosts if self.trial else ())
        return [outward.told("network", hosts)] if hosts else []


def _alike(entry, made, kept):
    """What of an entry is the same each time it is made, as a digest.

    :param made: (id, name) of the records that were made
    :param kept: checksums of files that there were before
    """
    files = entry.get("files", ())
    parts = [entry.get(name, "") for name in ("subject", "about", "text")]
    text = "\n".join([*parts, *(file["name"] for file in files)])
    text = QUERY.sub(r"\1", text)
    for ident, name in made:
        if name:
            text = text.replace(name, "*")
        text = re.sub(rf"(?<=[/#]){ident}\b", "*", text)
    sums = [file["sum"] for file in files if file["sum"] in kept]
    return hashlib.sha256("\n".join([text, *sums]).encode()).hexdigest()


def _module(function):
    function = getattr(function, "func", function)
    return str(getattr(function, "__module__", "") or "?")


def shown(entries):
    """The entries that a person is shown, and how many more there are."""
    return entries[:MAX_TOLD], max(len(entries) - MAX_TOLD, 0)


def digest(entries):
    """By what two tries of the same call are held against each other: who gets what.

    Where the network leads, a try may find another address for the same name; and what
    an email's text says below it, in addresses, Odoo makes anew each time.
    """
    kept = [
        {name: entry[name] for name in COMPARED if name in entry}
        if entry["kind"] != "network"
        else {"kind": "network"}
        for entry in entries
    ]
    texts = sorted(map(canonical_json.text, kept))
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()
