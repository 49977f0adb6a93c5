from typing import NamedTuple

from odoo import api, models, tools
from odoo.fields import Domain

from ...policy.menu_words import ENGLISH, entry, literal

WINDOW, SERVER = "ir.actions.act_window", "ir.actions.server"
# How much each kind of word says of a model.
MENU, ACTION, LABEL, CHOICE, TECHNICAL, LOOSE = 1.0, 0.95, 0.96, 0.9, 0.8, 0.7
FILTER = "search_default_"


class Window(NamedTuple):
    """What a menu of Odoo's opens, for somebody who sees it."""

    # Technical name of the model.
    model: str
    # What the menu is called, with those above it: Sales / Orders / Quotations.
    path: str
    # What it is called itself, and its action.
    name: str
    action: str
    # The action's own, as they are written there.
    domain: str
    context: str
    # The ids of its search view and of its lists; 0 for the model's own.
    filters: int
    lists: tuple


class IrUiMenu(models.Model):
    """What people call things: by the words of their menus. Each method answers for the
    user of the environment, out of what is worked out once for their groups."""

    _inherit = "ir.ui.menu"

    @api.model
    def _doorman_windows(self, lang=""):
        """What the menus open that the user sees.

        :param str lang: of the names; the user's own unless told
        :return: a tuple of Window, in the same order whatever the language
        """
        return self._doorman_windows_for(
            lang or self._doorman_lang(), self._doorman_groups()
        )

    @api.model
    def _doorman_words(self, lang):
        """The words by which the user may know models.

        :param str lang: their language
        :return: a tuple of Entry (policy/menu_words.py), of models that the user may
            read
        """
        return self._doorman_words_for(lang, self._doorman_groups())

    @api.model
    def _doorman_lang(self):
        return self.env.lang or self.env.user.lang or ENGLISH

    @api.model
    def _doorman_groups(self):
        return tuple(sorted(self.env.user._get_group_ids()))

    @api.model
    def _doorman_domain(self, window):
        """The domain that a menu adds: its action's, that of the filters which are on
        when it opens, but for "my ...", and the type of what it makes. What is left to
        a browser, such as the date of today, is left out.

        :return: a domain as a list; [] for none
        """
        context = literal(window.context, {})
        found = [_domain(window.domain)]
        wanted = {
            name.removeprefix(FILTER)
            for name, value in context.items()
            if name.startswith(FILTER) and value
        }
        views = self.env["ir.ui.view"]
        for group in views._doorman_filters(window.model, window.filters):
            on = (text for name, text in group if name in wanted and not _is_mine(name))
            chosen = [part for part in map(_domain, on) if not part.is_true()]
            # Those that stand together are alternatives.
            found += [Domain.OR(chosen)] if chosen else []
        made = context.get("default_move_type")
        named = {one.field_expr for part in found for one in part.iter_conditions()}
        if made and "move_type" not in named:
            found.append(Domain("move_type", "=", made))
        domain = Domain.AND(found)
        return [] if domain.is_true() else list(domain)

    # ---- worked out once, until menus, actions or rights change ----

    @api.model
    @tools.ormcache("lang", "groups")
    def _doorman_windows_for(self, lang, groups):
        menus = self.sudo().with_context(lang=lang).browse(self._visible_menu_ids())
        rows = menus.sorted("id").read(["name", "parent_id", "action"], load="")
        known = {row["id"]: row for row in rows}
        opened = self._doorman_opened([row["action"] for row in rows], lang)
        loose = self._doorman_loose(lang, groups)
        twins = {(action.res_model, action.name): action for action in loose}
        found = []
        for row in rows:
            facts, name = opened.get(row["action"]), row["name"] or ""
            if not facts:
                continue
            twin = twins.get((facts["model"], name))
            if row["action"].startswith(SERVER) and twin:
                # Code opens it, which is not run for this: mostly a window so named.
                facts = _facts(twin)
            found.append(Window(path=" / ".join(_path(row, known)), name=name, **facts))
        return tuple(found)

    @api.model
    def _doorman_opened(self, references, lang):
        """What actions open, by their reference: what a Window says of it."""
        ids = {WINDOW: set(), SERVER: set()}
        for reference in filter(None, references):
            kind, _comma, ident = reference.partition(",")
            if kind in ids and ident.isdecimal():
                ids[kind].add(int(ident))
        found = {}
        windows = self.env[WINDOW].sudo().with_context(lang=lang)
        for action in windows.browse(ids[WINDOW]).exists():
            found[f"{WINDOW},{action.id}"] = _facts(action)
        servers = self.env[SERVER].sudo().with_context(lang=lang)
        for action in servers.browse(ids[SERVER]).exists():
            found[f"{SERVER},{action.id}"] = {
                "model": action.model_name,
                "action": action.name or "",
                **{"domain": "", "context": "", "filters": 0, "lists": ()},
            }
        return {
            key: facts for key, facts in found.items() if facts["model"] in self.env
        }

    @api.model
    @tools.ormcache("lang", "groups")
    def _doorman_words_for(self, lang, groups):
        models_of = self.env["ir.model"]
        readable = {
            name
            for name in self.env.registry
            if models_of._is_valid_for_model_selector(name)
        }
        found = []
        for number, window in enumerate(self._doorman_windows_for(lang, groups)):
            if window.model in readable:
                found.append(entry(window.model, window.name, MENU, number))
                found.append(entry(window.model, window.action, ACTION, number))
                for label in self._doorman_choices(window, lang):
                    found.append(entry(window.model, label, CHOICE, number))
        labels = models_of.with_context(lang=lang)._display_name_for(list(readable))
        found += [entry(row["model"], row["display_name"], LABEL) for row in labels]
        found += [entry(name, name, TECHNICAL) for name in readable]
        found += [
            entry(action.res_model, action.name, LOOSE)
            for action in self._doorman_loose(lang, groups)
            if action.res_model in readable
        ]
        return tuple(one for one in dict.fromkeys(found) if one.words)

    @api.model
    def _doorman_choices(self, window, lang):
        """The labels of the choices that a window is about: "Vendor Bill"."""
        model = self.env[window.model].with_context(lang=lang)
        for condition in Domain(self._doorman_domain(window)).iter_conditions():
            field = model._fields.get(condition.field_expr)
            if field is None or field.type != "selection":
                continue
            values = condition.value
            values = [values] if isinstance(values, str) else values
            if condition.operator not in ("=", "in") or not values:
                continue
            labels = dict(field._description_selection(model.env))
            for value in values:
                # A choice among models says what it is for: the type of an activity
                # on a sales order is not itself called a sales order.
                if value in labels and value not in self.env:
                    yield labels[value]

    @api.model
    def _doorman_loose(self, lang, groups):
        """The windows that no menu opens, and the user may."""
        mine = ["|", ("group_ids", "=", False), ("group_ids", "in", list(groups))]
        return self.env[WINDOW].sudo().with_context(lang=lang).search(mine)


def _facts(action):
    """What a Window says of its action."""
    return {
        "model": action.res_model,
        "action": action.name or "",
        "domain": action.domain or "",
        "context": action.context or "",
        "filters": action.search_view_id.id or 0,
        "lists": tuple(view or 0 for view, kind in action.views if kind == "list"),
    }


def _domain(text):
    """What a text says of a domain; all records where it says none."""
    try:
        return Domain(literal(text, []))
    except (ValueError, TypeError):
        return Domain.TRUE


def _is_mine(name):
    """Whether a filter is for one's own records, by its name."""
    return name.startswith("my")


def _path(row, known):
    """The names of a menu and of those above it, the highest first."""
    names = []
    while row and len(names) < 8:
        names.insert(0, row["name"] or "")
        row = known.get(row["parent_id"])
    return names
