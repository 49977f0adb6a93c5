"""Models that no policy opens, as plain data.

Nothing here touches the ORM, so that it can be read, and tested, as a list.
"""

import re

from .refusal import _lt

# Models that no connection reads or writes, whatever its policy says. A pattern
# ends in a dot or is a full name. They are the locks themselves: who could write
# a rule, a group or a key could give itself the rest.
FLOOR_MODELS = (
    "doorman.",
    "res.users.apikeys",
    "res.users.apikeys.",
    "res.users.deletion",
    "res.users.identitycheck",
    "res.users.log",
    "res.device",
    "res.device.",
    "res.config.settings",
    "res.company.ldap",
    "auth_totp.",
    "auth.totp.",
    "auth.oauth.provider",
    "auth.passkey.",
    "change.password.",
    "ir.rule",
    "ir.model.access",
    "ir.config_parameter",
    "ir.logging",
    "ir.profile",
    "ir.mail_server",
    "fetchmail.server",
    # Emails on their way: invitations and password resets with their tokens.
    "mail.mail",
    "mail.push",
    "mail.push.",
    # Old and new values of any field of any model: read_messages tells those that may
    # be told, with the record they are of.
    "mail.tracking.value",
    "mail.ice.server",
    "payment.provider",
    "payment.token",
    "iap.account",
    "sms.account.",
    "certificate.",
    "account_edi_proxy_client.",
    "base_import.",
    "bus.",
    "base.module.",
    "base.partner.merge.",
)

# Models whose records belong to a record of another model, and the field that
# names that model: they follow the model rule of what they hang on.
FOLLOWERS = {
    "ir.attachment": "res_model",
    "mail.message": "model",
    "mail.activity": "res_model",
    "mail.followers": "res_model",
    "mail.scheduled.message": "model",
    "mail.compose.message": "model",
    "rating.rating": "res_model",
}
# Those of them that keep that name as the id of an ir.model.
OWNER_IDS = {"mail.activity": "res_model_id", "rating.rating": "res_model_id"}


def owner_field(pool, model):
    """:param pool: the registry
    :param str model: technical name
    :return: the field that names the model of what its records hang on, also where it
        is inherited, as a product's document inherits a file; None if there is none
    """
    todo, seen = [model], set()
    while todo:
        name = todo.pop()
        if field := FOLLOWERS.get(name):
            return field if field in pool[model]._fields else None
        if name in pool and name not in seen:
            seen.add(name)
            todo += pool[name]._inherits
    return None


# A text that names a model, on whatever model it is.
MODEL_FIELD = re.compile(r"(^|_)model(_name)?$")


def on_floor(model):
    """Whether no policy opens ``model``.

    :param str model: technical name, e.g. ``res.partner``
    """
    return _matches(model, FLOOR_MODELS)


# ---- what is only read ----

# Models that a connection may read, where its user may, and never write, create,
# delete or call a method on. A pattern ends in a dot or is a full name.
WRITE_FLOOR = (
    # Odoo's own machinery: views, actions and cron jobs are code that runs for other
    # people, ir.model* is the schema, ir.default fills other people's forms, ir.filters
    # holds code, ir.sequence numbers legal documents, ir.asset and ir.ui.menu are what
    # everybody's browser loads. Attachments are the exception, see WRITE_FIELDS.
    "ir.",
    # Who a person is and what they may do, and which records a company sees.
    "res.users",
    "res.users.",
    "res.groups",
    "res.groups.",
    "res.company",
    "res.config",
    "res.config.",
    # Makes accounts, or hands out links that open a document without one.
    "portal.",
    # Code and templates that run later, as somebody else: automation rules, server
    # actions in wizards, mail and text templates, the queue of jobs.
    "base.",
    "mail.template",
    "mail.template.",
    "template.reset.mixin",
    "queue.",
    "studio.",
    "gamification.goal.definition",
    "data_recycle.model",
    "digest.",
    "marketing.",
    "mailing.filter",
    "sale.pdf.form.field",
    # The machinery's wizards that are not called ir.*, and what everybody's pages,
    # papers, forms and numbers are made with.
    "server.",
    "reset.view.",
    "wizard.ir.",
    "properties.base.",
    "report.layout",
    "report.paperformat",
    "web_tour.",
    "onboarding.",
    "html_editor.",
    "web_editor.",
    "res.lang",
    "decimal.precision",
    "calendar.provider.config",
    "mail.activity.type",
    # Sends, in whatever name and to whom it is told. Also what inherits the renderer of
    # templates: policy/inherited_models.py.
    "mail.compose.message",
    "mail.scheduled.message",
    "mail.activity.schedule",
    "mail.activity.schedule.",
    "mail.followers.edit",
    "mail.wizard.invite",
    "mail.resend.",
    "account.move.send.",
    "calendar.popover.delete.wizard",
    "mailing.mailing",
    "mailing.mailing.",
    "mailing.sms.",
    "mailing.trace",
    "mailing.trace.",
    "survey.invite",
    "sms.",
    "snailmail.",
    "social.",
    "whatsapp.",
    # Fetches what it is told to, or asks another service and pays for it.
    "link.tracker",
    "link.tracker.",
    "mail.link.preview",
    "crm.iap.",
    # Opens to people without an account, or gives a link that does.
    "project.share.",
    "project.collaborator",
    "task.share.",
    "spreadsheet.",
    # What was allowed, asked for or looked up, and by whom.
    "account.lock_exception",
    "privacy.",
    # Where email comes in: an alias makes records of any model from it.
    "mail.alias",
    "mail.alias.",
    "mail.gateway.allowed",
    # What was said, by whom, and what changed when. post_message is the way to say
    # something, under one's own name.
    "mail.message",
    "mail.message.",
    "mail.notification",
    "mail.guest",
    "mail.presence",
    "discuss.channel.rtc.",
    "discuss.call.",
    # Pages whose scripts run in every visitor's browser.
    "website",
    "website.page",
    "website.rewrite",
    "website.controller.page",
    "website.snippet.",
    "website.robots",
    "theme.",
    # Decided by a payment provider, not by us.
    "payment.",
    # Keys to other services.
    "iap.",
    "google.",
    "microsoft.",
    "iot.",
)

# Of those, the wizards behind Odoo's Send buttons: send_document does their work.
SENDING = ("mail.compose.message", "account.move.send.")

# Models below such a pattern that are written all the same, and their fields that are.
# An attachment's url, type and mimetype decide what a browser makes of it, ``public``
# opens it to the world. Their methods are not called.
WRITE_FIELDS = {
    "ir.attachment": frozenset({"name", "description", "res_model", "res_id"}),
}

# Models of that list whose records may be put into a many2many of another: the people
# a task is for, the companies a tag is for.
LINKABLE = frozenset({"res.users", "res.company", "ir.attachment"})

# What a model of any name inherits, and is closed for: it renders templates (code, with
# other people's records) or gives links that open a document.
CLOSED_BASES = ("mail.render.mixin", "mail.composer.mixin", "portal.share")
# Models that no wizard is pointed at: with its own code, it would do to them what we do
# not do.
MACHINERY = ("ir.", "mail.template", "sms.template", "base.", "studio.")


def may_write(model):
    """Whether any policy could let a connection change records of ``model``, judged by
    its name. What it inherits has a say as well: ``inherited_models.may_write``.

    :param str model: technical name, e.g. ``res.partner``
    """
    if model in WRITE_FIELDS:
        return True
    return not (on_floor(model) or _matches(model, WRITE_FLOOR))


def way_around(model):
    """Which tool does what a closed model is for; "" if none does."""
    if _matches(model, SENDING):
        return _lt("send_document sends a record's document by email.")
    return ""


def is_machinery(model):
    """Whether a wizard with a field for ``model`` is closed."""
    return model != "ir.attachment" and _matches(model, MACHINERY)


def _matches(model, patterns):
    return any(
        model.startswith(name) if name.endswith(".") else model == name
        for name in patterns
    )
