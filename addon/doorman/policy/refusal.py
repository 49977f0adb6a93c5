"""How a rule of ours says no.

A refusal has a code, for programs; words, which Odoo can translate; and the facts that
the words are made of. AI tools get the words in English, people in their own language.
"""

from contextlib import contextmanager
from functools import reduce

from odoo.tools.translate import LazyGettext, LazyTranslate

from .refusal_codes import KIND_OF
from .withhold import clean

# Marks the words of a refusal for translation: _lt("... %(field)s ...", field=name). An
# addon that extends this one has its own, for its own translations.
_lt = LazyTranslate(__name__, default_lang="en_US")


class Refusal(Exception):
    """The call is refused by a rule of ours.

    :param str code: one of ``refusal_codes``; it says of which kind the refusal is
    :param words: what is wrong, of ``_lt``
    :param hint: what to do about it, of ``_lt``; "" for nothing
    :param facts: what the words do not name as arguments of theirs
    """

    def __init__(self, code, words, hint="", **facts):
        super().__init__(in_language(words))
        self.code = code
        # Somebody else's addon may give a kind instead of a code.
        self.kind = KIND_OF.get(code, code)
        self.words = words
        self.hint_words = hint
        self.facts = _facts_of(words) | facts

    def told(self, lang="en_US"):
        """The refusal as the service gets it, for the AI tool, with which record of the
        request it is about.

        :param str lang: of who gets it
        """
        place, message = place_of(self), in_language(self.words, lang)
        return told_again(
            self.kind,
            self.code,
            f"{place}: {message}" if place else message,
            in_language(self.hint_words, lang),
        )

    @property
    def message(self):
        """What is wrong, as AI tools get it: in English."""
        return in_language(self.words)

    @property
    def hint(self):
        """What to do about it, as AI tools get it: in English."""
        return in_language(self.hint_words)


def told_again(kind, code, message, hint):
    """What the service gets of a refusal. Nothing else makes that.

    :return: dict
    """
    return {"kind": kind, "code": code, "message": message, "hint": hint}


def in_language(words, lang="en_US"):
    """:param words: of ``_lt``, or plain text
    :param str lang: of who reads them
    :return: them as text
    """
    return words._translate(lang) if isinstance(words, LazyGettext) else words


def joined(sentences):
    """:param sentences: of ``_lt``, one or more
    :return: them as one text, of ``_lt`` too
    """
    return reduce(
        lambda one, more: _lt("%(one)s %(more)s", one=one, more=more), sentences
    )


def _facts_of(words):
    args = words._args if isinstance(words, LazyGettext) else None
    return dict(args) if isinstance(args, dict) else {}


# ---- words that are told later ----


def kept(exc):
    """The words of a refusal as JSON keeps them, for people who read them later, each
    in their own language.

    :return: ``{source, args, module, place}``, to which ``code`` may be added, what
        was refused of a query; None for anything but a refusal, or for one whose words
        were never marked for translation
    """
    return kept_words(exc.words, place_of(exc)) if isinstance(exc, Refusal) else None


def kept_words(words, place=""):
    """As ``kept``, of words of ``_lt`` alone."""
    words = _kept(words)
    return words | {"place": place} if isinstance(words, dict) else None


def _kept(words):
    if not isinstance(words, LazyGettext):
        # It may quote what was sent, and that may hold a secret.
        return words if isinstance(words, int | float | None) else clean(words)
    args = words._args
    if isinstance(args, dict):
        args = {name: _kept(value) for name, value in args.items()}
    else:
        args = [_kept(value) for value in args]
    return {"source": words._source, "args": args, "module": words._module}


def told_later(words, lang):
    """:param words: of ``kept``
    :param str lang: of who reads them
    :return: them as text; "" for none
    """
    if not words:
        return ""
    text = in_language(again(words), lang or "en_US")
    if words.get("place"):
        text = f"{words['place']}: {text}"
    return f"{text} <- {words['code']}" if words.get("code") else text


def again(words):
    """:return: words of ``_lt``, of what was kept of them; anything else as it is"""
    if not isinstance(words, dict):
        return words
    marked = LazyTranslate(words["module"])
    if isinstance(words["args"], dict):
        args = {name: again(value) for name, value in words["args"].items()}
        return marked(words["source"], **args)
    return marked(words["source"], *map(again, words["args"]))


@contextmanager
def at(place):
    """The time in which something is done for one of several records of a request:
    what goes wrong is told with it.

    :param str place: such as ``records[2]``; "" for none
    """
    try:
        yield
    except Exception as exc:
        if place and not place_of(exc):
            exc.doorman_place = place
        raise


def with_place_of(refusal, exc):
    """:return: a refusal that stands for an error, told of the same record"""
    refusal.doorman_place = place_of(exc)
    return refusal


def place_of(exc):
    """:return: which record of a request an error is about; "" if that is not known"""
    return getattr(exc, "doorman_place", "")
