from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import ConcurrencyError
from odoo.fields import Command
from odoo.tools import SQL

from ...policy.invite_values import QUEUE_MS
from ...policy.scope_groups import DEFAULT_SCOPE_GROUPS, NO_DEFAULTS

# How long one acceptance waits for a row that something else holds, while others wait
# for it.
ROW_MS = 5_000


class DoormanInvite(models.Model):
    """How an invite is accepted.

    opened ── _by_digest: the invite behind a link, working or not
           ── _works: what a link must meet, in SQL: the page and the acceptance ask it
    accept ── _queue: one acceptance at a time, each sees what the last one did
           ── same person: their connection, no second use
           ── connection and key, made from the template
           ── one conditional UPDATE raises current_uses; no row: all of it is undone
    """

    _inherit = "doorman.invite"

    acceptance_ids = fields.One2many(
        "doorman.invite.acceptance", "invite_id", readonly=True
    )

    @api.model
    def _by_digest(self, digest):
        """:return: the invite behind a link, with more right than its visitor has;
        empty if there is none"""
        self.env.cr.execute(
            SQL(
                "SELECT invite_id FROM doorman_invite_token WHERE digest = %s",
                digest or "",
            )
        )
        return self.sudo().browse([row[0] for row in self.env.cr.fetchall()])

    @api.model
    def _works_sql(self):
        # clock_timestamp: who waited for others may have waited past the end.
        return SQL(
            """
            i.state = 'active' AND i.current_uses < i.max_uses
            AND i.expires_at > clock_timestamp() at time zone 'utc'
            AND u.id = i.creator_id AND u.active AND NOT u.share
            AND EXISTS (SELECT 1 FROM res_company_users_rel r
                         WHERE r.user_id = u.id AND r.cid = i.company_id)
            """
        )

    def _works(self):
        """Whether the link would let somebody in now."""
        self.flush_recordset()
        self.env.cr.execute(
            SQL(
                "SELECT 1 FROM doorman_invite i, res_users u "
                "WHERE i.id = ANY(%s) AND %s",
                self.ids,
                self._works_sql(),
            )
        )
        return bool(self.env.cr.fetchone())

    def _acceptance_of(self, user):
        acceptances = self.env["doorman.invite.acceptance"].sudo()
        return acceptances.search(
            [("invite_id", "in", self.ids), ("user_id", "=", user.id)], limit=1
        )

    def _why_not(self, user):
        """Why somebody who is logged in cannot accept, although the link works.

        :return: in their words, or False; None if it is not meant for them at all
        """
        user = user.sudo()
        if not self._may_accept(user.login) or self._is_made_up(user):
            return None
        if not user._is_internal() or user._is_superuser() or not user.active:
            return self._needs_internal_user(user)
        if self._was_taken_from(user):
            return self.env._(
                "An administrator has ended the MCP access of your account, %s. Ask "
                "them to restore it, then open the link again.",
                user.login,
            )
        if not self._may_join(user):
            return self.env._(
                "Your account, %(login)s, does not belong to this organization. Ask "
                "%(maker)s to have it added, then open the link again.",
                login=user.login,
                maker=self.creator_id.name,
            )
        return False

    def _needs_internal_user(self, user):
        """:return: what somebody with another kind of account can do"""
        login, maker = user.login, self.creator_id.name
        if user._is_portal():
            return self.env._(
                "Your account, %(login)s, is a portal account, but a key requires an "
                "internal user. Ask %(maker)s or your Odoo administrator to make it "
                "one, then open the link again. Or log out and log in as an internal "
                "user.",
                login=login,
                maker=maker,
            )
        return self.env._(
            "Your account, %(login)s, is not an internal user, but a key requires "
            "one. Ask %(maker)s or your Odoo administrator to make it one, then open "
            "the link again. Or log out and log in as an internal user.",
            login=login,
            maker=maker,
        )

    def _is_made_up(self, user):
        """Whether a list of logins would take an account for somebody that nobody says
        it is: made with a link for anyone, under any address."""
        if self.accept_from == "anyone":
            return False
        return bool(
            self.env["doorman.invite.acceptance"]
            .sudo()
            .search_count(
                [
                    ("user_id", "=", user.id),
                    ("new_account", "=", True),
                    ("address_proven", "=", False),
                ],
                limit=1,
            )
        )

    @api.model
    def _was_taken_from(self, user):
        """Whether somebody had MCP access once: no link gives back what an
        administrator has taken away."""
        if self.env.ref("doorman.group_user") in user.all_group_ids:
            return False
        connections = self.env["doorman.connection"].sudo()
        connections = connections.with_context(active_test=False)
        return bool(connections.search_count([("user_id", "=", user.id)], limit=1))

    def _key_hours(self):
        """:return: how long the key works from its acceptance; 0 for no end"""
        days = self.env["doorman.settings"]._key_days()
        hours = [self.key_lifetime_hours, days * 24]
        return min(filter(None, hours), default=0)

    def _may_join(self, user):
        """Whether somebody is of the organization, or becomes so by accepting. Groups
        hold in every company of a user: nobody is added who could do there what the
        creator cannot."""
        if self.company_id in user.company_ids:
            return True
        return self.new_accounts and user.all_group_ids <= self.creator_id.all_group_ids

    # ---- accepting ----

    @api.model
    def _queue(self):
        """Wait until nobody else is accepting, for a while.

        LOCK takes no snapshot: where it is the first statement of its transaction, as
        the page makes sure, what comes after sees everything that those before have
        done. Without it, REPEATABLE READ would throw all of them back but one.

        :raise psycopg2.errors.LockNotAvailable: if it takes too long, then or later in
            this transaction
        """
        self.env.cr.execute(
            SQL(
                "SET LOCAL lock_timeout = %s; "
                "LOCK TABLE doorman_invite_gate IN EXCLUSIVE MODE; "
                "SET LOCAL lock_timeout = %s",
                QUEUE_MS,
                ROW_MS,
            ),
            log_exceptions=False,
        )

    @api.model
    def _accept(self, digest, ip="", account=None):
        """Accept an invite: for the caller, or for an account that is made for it.

        :param str digest: of the link's token
        :param str ip: where from
        :param dict account: name, login and password of an account to make; "proven"
            if its login is the address of who makes it
        :return: the acceptance, and the key in clear for the only time: None if the
            same person has accepted before; or None if the link does not work
        """
        self._queue()
        invite = self._by_digest(digest)
        user = self.env.user
        before = not account and invite and invite._acceptance_of(user)
        if before:
            return before, None
        if not invite or not invite._works():
            return None
        if account:
            if not invite.new_accounts or not invite._may_accept(account["login"]):
                return None
            if invite._groups_have_grown():
                return None
            user = invite._make_account(account)
        if invite._why_not(user) is not False:
            return None
        return invite.with_user(user).sudo()._take(ip, account or {})

    def _take(self, ip, account):
        user = self.env.user
        if not account:
            self._admit(user)
        connection = self.env["doorman.connection"]._inside()
        connection = connection.create(self._connection_values(user))
        # What was restricted stays so, also if nothing is left of the list.
        flags = {f: True for f in self._restrictions().values() if self[f]}
        connection.write(flags)
        connection = connection.with_context(doorman_inside=None)
        key = connection._issue_key(made_by=self.creator_id, seen_how="invite")
        acceptance = self.env["doorman.invite.acceptance"].create(
            {
                "invite_id": self.id,
                "user_id": user.id,
                "accepted_at": fields.Datetime.now(),
                "ip": ip,
                "new_account": bool(account),
                "address_proven": bool(account.get("proven")),
                "connection_id": connection.id,
            }
        )
        connection.message_post(
            body=self.env._("Created from the invite %s.", self.key_name_preset)
        )
        self._tell_creator(acceptance)
        self.env.flush_all()
        self._use_up()
        return acceptance, key

    def _use_up(self):
        """The last thing that an acceptance does: who revokes hardly has to wait."""
        self.env.cr.execute(
            SQL(
                """
                UPDATE doorman_invite i
                   SET current_uses = i.current_uses + 1,
                       state = CASE WHEN i.current_uses + 1 >= i.max_uses
                                    THEN 'used_up' ELSE i.state END
                  FROM res_users u WHERE i.id = %s AND %s
             RETURNING i.id
                """,
                self.id,
                self._works_sql(),
            ),
            log_exceptions=False,  # who loses the race is run again by Odoo
        )
        if not self.env.cr.fetchone():
            # It ended while the connection was made: undo it, and look again.
            raise ConcurrencyError("The invite has ended")
        self.invalidate_recordset(["current_uses", "state"])

    def _connection_values(self, user):
        """The connection that comes of this invite."""
        vals = self._policy_values()
        connections = self.env["doorman.connection"]
        approver = connections._approver_for(self.approver_id, user)
        vals["approver_id"] = approver.id
        # In the organization of the invite, whatever else the person belongs to.
        # Also where one of them has been archived since: less, and not another.
        companies = self.with_context(active_test=False).company_ids
        if not self.companies_restricted:
            companies = self.company_id
        vals["company_ids"] = [Command.set(companies.ids)]
        if self.key_lifetime_hours:
            hours = timedelta(hours=self.key_lifetime_hours)
            vals["expires_at"] = fields.Datetime.now() + hours
        return vals | {
            "name": self.key_name_preset.strip(),
            "user_id": user.id,
            "auth_type": "bearer",
            "invite_id": self.id,
            "description": self.env._(
                "From an invite by %s.", self.creator_id.name or "?"
            ),
        }

    def _tell_creator(self, acceptance):
        creator = self.creator_id
        # By who may not see it, and all the same in their name.
        # Not sent now: who waits for their turn would wait for the mail server as well.
        quiet = self._inside().with_context(mail_notify_force_send=False)
        quiet.message_post(
            body=self.env._(
                "Accepted by %(name)s (%(login)s) from %(ip)s.",
                name=acceptance.user_id.name,
                login=acceptance.user_id.login,
                ip=acceptance.ip or "?",
            ),
            subject=self.env._("Your MCP invite was accepted"),
            partner_ids=creator.partner_id.ids,
        )
        self._send_soon()

    @api.model
    def _send_soon(self):
        """Let Odoo's mail queue run now, not within the hour."""
        self.env.ref("mail.ir_cron_mail_scheduler_action").sudo()._trigger()

    # ---- people ----

    def _scope_groups(self):
        """The permissions that come with this invite. Those for SQL and for code do
        not: that a person may use them is for an Odoo administrator to say."""
        usual = self.env["res.groups"].browse(
            self.env["ir.model.data"]._xmlid_to_res_id(x) for x in DEFAULT_SCOPE_GROUPS
        )
        return self.scope_ids.group_id & usual

    def _admit(self, user):
        """Who is an internal user and no MCP user yet becomes one, with the permissions
        of the invite. Who is one keeps what they have: what an administrator has taken
        from them, no link gives back."""
        if self.company_id not in user.company_ids:
            user.write({"company_ids": [Command.link(self.company_id.id)]})
        mcp_user = self.env.ref("doorman.group_user")
        if mcp_user in user.all_group_ids:
            return
        groups = mcp_user | self._scope_groups()
        user.with_context(doorman_defaults=NO_DEFAULTS).write(
            {"group_ids": [Command.link(g.id) for g in groups]}
        )

    def _groups_have_grown(self):
        """Whether the groups for new accounts have become more than they were when the
        invite was held against its creator's: groups change."""
        granted = self.account_group_ids.sudo().all_implied_ids
        return not set(granted.ids) <= set(self.sudo().account_group_all or ())

    def _make_account(self, account):
        groups = self.env.ref("doorman.group_user") | self._scope_groups()
        users = self.env["res.users"].sudo()
        user = users.with_context(
            no_reset_password=True, doorman_defaults=NO_DEFAULTS
        ).create(
            {
                "name": account["name"],
                "login": account["login"],
                "email": account["login"],
                "password": account["password"],
                "company_id": self.company_id.id,
                "company_ids": [Command.set(self.company_id.ids)],
                "group_ids": [Command.set((groups | self.account_group_ids).ids)],
            }
        )
        return self.env["res.users"].browse(user.id)
