"""Rules per model, held against requests that nobody thought of: policies and requests
made at random, always the same ones.

Two things must hold for each. What is told holds no value of a field that is hidden or
masked, and none of a record outside of the domain. And what is told does not depend on
them: with other values in their place, every answer is the same, refusals included, so
that nobody finds them out by asking.
"""

import json
import random
import re

from odoo.fields import Command
from odoo.tests import tagged

from ..rules_common import RulesCase
from ..tools.test_exports import ExportMixin

SEED, POLICIES, REQUESTS = 20, 24, 26
PARTNER, BANK, TAG = "res.partner", "res.partner.bank", "res.partner.category"
TEXTS = ("email", "phone", "ref", "city", "street", "comment")
DOMAINS = (
    "",
    "[('color', '=', 1)]",
    "[('color', '<', 3)]",
    "[('category_id.color', '=', 1)]",
    "['|', ('color', '=', 1), ('id', '=', 0)]",
)
OPERATORS = ("=", "!=", "ilike", "not ilike", "=like", "in", "not in")
LINKS = {
    PARTNER: (("parent_id", PARTNER), ("child_ids", PARTNER), ("category_id", TAG),
              ("bank_ids", BANK)),
    BANK: (("partner_id", PARTNER),),
    TAG: (("partner_ids", PARTNER),),
}  # fmt: skip
FIELDS = {
    PARTNER: ("name", "display_name", "complete_name", "email_normalized", "color",
              "parent_name", "commercial_company_name", *TEXTS),
    BANK: ("acc_number", "sanitized_acc_number", "display_name"),
    TAG: ("name", "color", "display_name"),
}  # fmt: skip


class Policy:
    """Rules made at random: what is closed in them, and how narrow they are."""

    def __init__(self, dice):
        self.closed = {}
        for name in (*TEXTS, "name"):
            roll = dice.random()
            if roll < 0.35:
                self.closed[name] = "hidden" if roll < 0.2 else "masked"
        self.domain = dice.choice(DOMAINS)
        self.banks = dice.choice(("none", "read", "hidden", "all"))
        self.others = dice.choice((None, False, True))

    def narrowed(self, dice):
        """The same, with one thing less."""
        found = Policy(dice)
        found.__dict__ |= {**self.__dict__, "closed": dict(self.closed)}
        how = dice.randrange(3)
        if how == 0:
            found.closed[dice.choice((*TEXTS, "name"))] = "hidden"
        elif how == 1:
            found.domain = "[('color', '=', 1), ('color', '<', 3)]"
        else:
            found.banks = "none"
        return found


@tagged("post_install", "-at_install")
class TestModelRulesRandom(ExportMixin, RulesCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        partners = cls.env[PARTNER]
        tags = cls.env[TAG].create([{"name": f"Tag{n}", "color": n} for n in range(3)])
        cls.some = partners.browse()
        for number in range(8):
            cls.some += partners.create(
                {
                    # Otherwise its name would begin with that of its company.
                    "is_company": True,
                    "type": "other",  # with an address of its own
                    "color": number % 4,
                    "parent_id": cls.some[number // 2].id if number > 1 else False,
                    "category_id": [Command.set(tags[number % 3].ids)],
                    "bank_ids": [Command.create({"acc_number": f"BE00{number:012}"})],
                }
                | cls.values(number, "a")
            )
        cls.files = cls.env["ir.attachment"].create(
            [
                {
                    "name": f"File{partner.id}",
                    "raw": b"x",
                    "res_model": PARTNER,
                    "res_id": partner.id,
                }
                for partner in cls.some
            ]
        )

    @staticmethod
    def values(number, letter):
        """The values of a contact, no two alike. Those of another letter have the same
        mask."""
        return {
            "name": f"Qn{number}{letter}zz",
            "email": f"qe{number}{letter}zz@xx.example",
            "phone": f"+32 2 {number}{'1' if letter == 'a' else '2'} 77 00 99",
            "ref": f"qr{number}{letter}zz",
            "city": f"Qc{number}{letter}zz",
            "street": f"qs{number}{letter}zz",
            "comment": f"<p>qo{number}{letter}zz</p>",
        }

    @staticmethod
    def secrets(number, letter):
        """:return: what gives each of those away, by field"""
        found = TestModelRulesRandom.values(number, letter)
        return found | {
            "email": found["email"].split("@")[0],
            "phone": found["phone"][6:11],
            "comment": re.sub("<.*?>", "", found["comment"]),
        }

    # ---- policies ----

    def set_up(self, policy):
        self.connection.model_rule_ids.unlink()
        hidden = [n for n, how in policy.closed.items() if how == "hidden"]
        masked = [n for n, how in policy.closed.items() if how == "masked"]
        self.rule_for(PARTNER, hidden, masked, domain=policy.domain)
        off = dict.fromkeys(("perm_create", "perm_write", "perm_unlink"), False)
        if policy.banks != "all":
            closed = ["acc_number"] if policy.banks == "hidden" else ()
            may = policy.banks != "none"
            self.rule_for(BANK, closed, perm_read=may, **off)
        if policy.others is not None:
            self.rule_for("", perm_read=policy.others, **off)

    def seen(self, policy):
        """The contacts that there are, by Odoo's own search."""
        domain = json.loads(
            policy.domain.replace("'", '"').replace("(", "[").replace(")", "]") or "[]"
        )
        return self.some.filtered_domain(domain)

    def secret(self, policy):
        """:return: the values that must not be told, as texts"""
        seen, found = self.seen(policy), set()
        for number, partner in enumerate(self.some):
            texts = self.secrets(number, "a")
            for name, text in texts.items():
                if name in policy.closed or (partner not in seen and name != "name"):
                    found.add(text)
        return found

    def exchange(self, policy):
        """Put other values in place of all that must not be told."""
        seen = self.seen(policy)
        messages = self.env["mail.message"].search([("model", "=", PARTNER)])
        for number, partner in enumerate(self.some):
            fresh = self.values(number, "b")
            names = [n for n in TEXTS if n in policy.closed or partner not in seen]
            if "name" in policy.closed:
                names.append("name")
            partner.with_context(tracking_disable=True).write(
                {name: fresh[name] for name in names}
            )
        # What people are told of a change of a bank account's holder.
        fresh = self.env["mail.message"].search([("model", "=", PARTNER)]) - messages
        fresh.unlink()

    # ---- requests ----

    def condition(self, dice, model, depth=0):
        if depth < 2 and dice.random() < 0.35:
            name, other = dice.choice(LINKS[model])
            inside = self.condition(dice, other, depth + 1)
            if dice.random() < 0.5:
                return [f"{name}.{inside[0]}", *inside[1:]]
            return [name, dice.choice(("any", "not any")), [inside]]
        if dice.random() < 0.15:
            name = dice.choice(LINKS[model])[0]
            return [name, dice.choice(("ilike", "not ilike", "=")), self.text(dice)]
        name, operator = dice.choice(FIELDS[model]), dice.choice(OPERATORS)
        value = self.text(dice) if name != "color" else dice.randrange(4)
        if name == "color" and "like" in operator:
            operator = "="
        if operator == "=like":
            value = f"{value[:4]}%"
        return [name, operator, [value] if operator.endswith("in") else value]

    def text(self, dice):
        values = self.secrets(dice.randrange(8), "a")
        text = values[dice.choice(list(values))]
        return dice.choice((text, text[:3], f"{text}@xx.example"))

    def domain(self, dice, model):
        found = [self.condition(dice, model) for _n in range(dice.randrange(3))]
        if len(found) == 2 and dice.random() < 0.3:
            return ["|", *found]
        return found

    def request_of(self, dice):
        """:return: model, method, ids and arguments of a request"""
        model = dice.choice((PARTNER, PARTNER, PARTNER, BANK, TAG))
        names = [*FIELDS[model], *(name for name, _other in LINKS[model])]
        domain, some = self.domain(dice, model), dice.sample(names, 2)
        ids = dice.sample(self.some.ids, dice.randrange(1, 3))
        method = dice.choice(
            ("search_read", "search_read", "search_count", "formatted_read_group",
             "read", "export", "everywhere", "messages", "files", "write", "delete",
             "create", "fields_get")
        )  # fmt: skip
        return {
            "search_read": (model, method, None, {
                "domain": domain, "fields": some, "names": 3,
                # Of equals, PostgreSQL gives the one that was changed last at the end.
                "order": dice.choice((f"{some[0]}, id", f"{some[1]} desc, id", "id")),
            }),
            "search_count": (model, method, None, {"domain": domain}),
            "formatted_read_group": (model, method, None, {
                "domain": domain, "groupby": some[:1],
                "aggregates": ["__count", f"{some[1]}:count_distinct"],
            }),
            "read": (PARTNER, method, ids, {
                "fields": dice.sample(FIELDS[PARTNER], 3) + ["parent_id"], "names": 3,
            }),
            "export": (model, "export_records", None, {
                "domain": domain, "fields": some,
            }),
            "everywhere": (False, "search_everywhere", None, {
                "query": self.text(dice), "models": [PARTNER],
            }),
            "messages": (PARTNER, "read_messages", ids[:1], {}),
            "files": ("ir.attachment", "search_read", None, {
                "domain": [["id", "in", self.files.ids]],
                "fields": ["name", "res_name"],
            }),
            "write": (PARTNER, "write", ids[:1], {
                "vals": {dice.choice(TEXTS): self.text(dice)},
            }),
            "delete": (PARTNER, "unlink", ids[:1], {}),
            "create": (PARTNER, "create", None, {
                "vals_list": [{"name": "N", "parent_id": self.text(dice)}],
            }),
            "fields_get": (PARTNER, method, None, {}),
        }[method]  # fmt: skip

    def ask(self, asked):
        """:return: the answer to a request, as text; of an export its content"""
        model, method, ids, kwargs = asked
        changes = method in ("write", "unlink", "create")
        more = {"dry_run": True} if changes else {}
        with self.env.cr.savepoint() as savepoint:
            answer = self.call(model, method, ids, more=more, **kwargs)
            if method == "export_records" and "value" in answer:
                answer = self.content(answer).decode()
            savepoint.rollback()
        self.env.invalidate_all()
        # The number that Odoo gives to each file, and times of its own.
        told = json.dumps(answer, default=str)
        return re.sub(r'"ticket": \d+|\d{4}-\d\d-\d\d \d\d:\d\d:\d\d', "", told)

    def check(self, policy, asked, told):
        """:return: what of it must not be told"""
        # What was sent may come back in a refusal.
        sent = json.dumps(asked[3])
        return {s for s in self.secret(policy) if s in told and s not in sent}

    # ---- what must hold ----

    def test_nothing_is_told_and_nothing_found_out(self):
        dice = random.Random(SEED)  # noqa: S311 always the same ones are wanted
        answered = refused = 0
        for number in range(POLICIES):
            policy = Policy(dice)
            if number % 2:
                policy = policy.narrowed(dice)
            asked = [self.request_of(dice) for _n in range(REQUESTS)]
            with self.env.cr.savepoint() as savepoint:
                # What is undone below gives its version's number to the next policy.
                self.env.registry.clear_cache()
                self.set_up(policy)
                before = [self.ask(one) for one in asked]
                self.exchange(policy)
                after = [self.ask(one) for one in asked]
                savepoint.rollback()
            self.env.invalidate_all()
            for one, told, again in zip(asked, before, after, strict=True):
                with self.subTest(policy=vars(policy), asked=one):
                    self.assertFalse(self.check(policy, one, told), told)
                    self.assertEqual(told, again)
                refused += '"error"' in told
                answered += '"error"' not in told
        # Neither everything nor nothing is refused.
        self.assertGreater(answered, POLICIES * 4)
        self.assertGreater(refused, POLICIES * 4)

    def test_the_test_finds_what_is_told(self):
        """With no rules at all, both of its checks fail."""
        policy = Policy(random.Random(1))  # noqa: S311 see above
        policy.closed, policy.domain = {"email": "hidden"}, "[('color', '=', 1)]"
        asked = (PARTNER, "search_read", None, {"domain": [], "fields": ["email"]})
        told = self.ask(asked)
        self.assertTrue(self.check(policy, asked, told))
        self.exchange(policy)
        self.assertNotEqual(told, self.ask(asked))
