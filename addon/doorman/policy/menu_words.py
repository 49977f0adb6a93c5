"""Models by what people call them: by the words of their menus, of the windows that
these open, and of the choices that such a window is about (an invoice is a journal
entry of a certain type).

    words of the user's language, and English ── those nearest to what was asked, by
    model ── what the menu shows of the model: its domain
"""

import ast
from typing import NamedTuple

from odoo.fields import Domain

from . import shared, spelling
from .refusal import Refusal, _lt
from .suggestions import near_hint

ENGLISH = "en_US"
# What to call a thing besides what Odoo calls it.
ALSO = {
    "supplier": ("vendor",),
    "client": ("customer",),
    "quote": ("quotation",),
    "offer": ("quotation",),
    "shipment": ("delivery",),
    "holiday": ("time off", "leave"),
    "vacation": ("time off", "leave"),
    "appointment": ("calendar", "meeting"),
    "staff": ("employee",),
    "address": ("contact",),
    "kreditor": ("lieferant", "vendor"),
    "debitor": ("kunde", "customer"),
    "urlaub": ("abwesenheit", "time off"),
    "termin": ("kalender", "meeting"),
    "angebot": ("quotation",),
    "artikel": ("produkt", "product"),
    "fournisseur": ("vendor",),
    "devis": ("quotation",),
}
# Endings of plurals, in English, German and French.
ENDINGS = (("s", "x"), ("en", "er", "e", "n"))
SHORTEST = 4
# What a text must reach to be told.
ENOUGH = 0.45
# The share of the best score that a model needs. Where one fits every word, those that
# fit only some of them are noise.
OF_THE_BEST = 0.7
# How much better a model is known that people work with, and how much worse one of
# reports, or of the lines of another.
WORKED_WITH, IN_A_MENU, REPORT, LINES = 0.08, 0.05, -0.3, -0.15
EACH_MORE, MOST_MORE = 0.015, 4


class Entry(NamedTuple):
    """Some words that a model is known by."""

    model: str
    words: tuple
    # How much they tell, from 0 to 1.
    weight: float
    # The number of the window that they are of (models/extensions/ir_ui_menu.py), or
    # None.
    window: int | None = None


class Called(NamedTuple):
    """A model that people call so."""

    model: str
    score: float
    # As in Entry.
    window: int | None


def entry(model, text, weight, window=None):
    """:param str text: as people see it
    :return: Entry
    """
    return Entry(model, tuple(map(stem, spelling.words_of(text or ""))), weight, window)


def stem(word):
    """A word without what makes it several, roughly; the same for all forms of it."""
    if word.endswith("ies") and len(word) > SHORTEST:
        word = word[:-3] + "y"
    for endings in ENDINGS:
        for ending in endings:
            if word.endswith(ending) and len(word) - len(ending) >= SHORTEST:
                word = word[: -len(ending)]
                break
    return word


ALSO_STEMS = {stem(word): others for word, others in ALSO.items()}


# ---- how well words fit ----


def _fits(asked, word, mistyped):
    """How well one word fits another, from 0 to 1."""
    if asked == word:
        return 1.0
    shorter, longer = sorted((asked, word), key=len)
    if len(shorter) >= SHORTEST:
        # Kundenrechnung is a Rechnung.
        if longer.endswith(shorter):
            return 0.8
        if longer.startswith(shorter):
            return 0.75
        if shorter in longer:
            return 0.6
        if mistyped:
            most = 1 if len(asked) < spelling.TWO_WRONG else 2
            if spelling.distance(asked, word, most) <= most:
                return 0.7
    return 0.0


def _score(asked, one, mistyped):
    """How well all of the words fit an entry."""
    best = [max(_fits(word, w, mistyped) for w in one.words) for word in asked]
    spare = max(0, len(one.words) - len(asked))
    return one.weight * sum(best) / len(best) / (1 + 0.12 * spare)


def _called(env, entries, asked, mistyped=False):
    """:return: Called by model, those that reach enough"""
    best, count = {}, {}
    for one in entries:
        score = _score(asked, one, mistyped)
        if score < ENOUGH:
            continue
        count[one.model] = count.get(one.model, 0) + 1
        if one.model not in best or score > best[one.model].score:
            best[one.model] = Called(one.model, score, one.window)
    return {
        name: called._replace(
            score=called.score
            + _standing(env, name, called)
            + EACH_MORE * min(count[name] - 1, MOST_MORE)
        )
        for name, called in best.items()
    }


def _standing(env, name, called):
    cls, thread = env.registry[name], env.registry["mail.thread"]
    found = WORKED_WITH if issubclass(cls, thread) else 0
    if called.window is not None:
        found += IN_A_MENU
    if not cls._auto or ".report" in name or name.endswith(".report"):
        found += REPORT
    elif name.endswith((".line", ".lines", ".type", ".stage", ".tag", ".category")):
        found += LINES
    return found


# ---- what a connection may know ----


def models_called(guard, text):
    """The models that people call so, in the user's language or in English.

    :param guard: the rules of the connection
    :param str text: such as "invoice", "open quotations", "Rechnung", "account.invoice"
    :return: a list of Called, the best first: models that the connection may use and
        its user may read
    """
    menus, words = guard.env["ir.ui.menu"], spelling.words_of(text)[:8]
    words = [stem(word) for word in words]
    if not words:
        return []
    entries = []
    for lang in dict.fromkeys((menus._doorman_lang(), ENGLISH)):
        entries += menus._doorman_words(lang)
    may_use = {}
    for one in entries:
        if one.model not in may_use:
            may_use[one.model] = guard.may_use(one.model)
    entries = [one for one in entries if may_use[one.model]]
    found = {}
    for asked in _ways(words):
        for name, called in _called(guard.env, entries, asked).items():
            if name not in found or called.score > found[name].score:
                found[name] = called
    if not found:
        found = _called(guard.env, entries, words, mistyped=True)
    least = OF_THE_BEST * max((called.score for called in found.values()), default=0)
    told = [called for called in found.values() if called.score >= least]
    return sorted(told, key=lambda called: (-called.score, called.model))


def _ways(words):
    """The words as they were asked for, and as Odoo may call the same thing."""
    yield words
    for i, word in enumerate(words):
        for other in ALSO_STEMS.get(word, ()):
            yield [*words[:i], *map(stem, other.split()), *words[i + 1 :]]


def near_models(guard, name):
    """:param str name: of a model that does not exist
    :return: a sentence on what may be meant: models that people call so, or whose
        names are near; ""
    """
    called = [one.model for one in models_called(guard, name)[:3]]
    if called:
        rows = guard.env["ir.model"]._display_name_for(called)
        labels = {row["model"]: row["display_name"] for row in rows}
        known = ", ".join(f"{one} ({labels.get(one, one)})" for one in called)
        return _lt(shared.SAY_DID_YOU_MEAN, known)
    known = [
        model
        for model in guard.env.registry
        if guard.may_use(model)
        and not guard.env[model]._abstract
        and guard.env[model].has_access("read")
    ]
    return near_hint(name, known)


def menu_of(guard, called):
    """What a menu shows of a model.

    :return: ``{menu, domain}``: its path in the user's language, and the domain that it
        adds, if it adds one and this connection may use all of its fields; {} for no
        menu
    """
    if called.window is None:
        return {}
    menus = guard.env["ir.ui.menu"]
    window = menus._doorman_windows()[called.window]
    found = {"menu": window.path}
    domain = menus._doorman_domain(window)
    if domain and _may_ask(guard, guard.env[called.model], domain):
        found["domain"] = domain
    return found


def _may_ask(guard, model, domain):
    """Whether a domain may be told: one with fields that the user may not read would be
    of no use, and say that they are there."""
    try:
        guard.domain(model, domain)
        for condition in Domain(domain).iter_conditions():
            owner, field = guard.path(model, condition.field_expr)
            if not owner._has_field_access(field, "read"):
                return False
    except (Refusal, ValueError, TypeError):
        return False
    return True


# ---- texts of actions ----


def literal(text, default):
    """What a text of an action says, if it needs nothing that only a browser knows; of
    an object what of it does not."""
    try:
        node = ast.parse((text or "").strip() or repr(default), mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return default
    if isinstance(node, ast.Dict):
        pairs = (
            (_value(k), _value(v)) for k, v in zip(node.keys, node.values, strict=True)
        )
        found = {key: value for key, value in pairs if isinstance(key, str)}
    else:
        found = _value(node)
    return found if isinstance(found, type(default)) else default


def _value(node):
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return None
