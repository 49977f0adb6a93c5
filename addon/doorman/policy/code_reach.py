"""What a method of Odoo's looks into, read from its own code.

A field that is searched by a method of its own may look anywhere, and nothing in the
registry says where. The code does: the models, fields and tables that it names.

More may be named than is looked into. It counts all the same: what is read here only
ever makes a field count as reaching more.
"""

import dis
import inspect
import re
from functools import cache
from itertools import pairwise
from types import CodeType

from odoo.models import BaseModel

# How far helpers are followed that a method calls.
DEPTH = 4
WORD = re.compile(r"\w+")
# In bytecode, what is read shortly before it is set. Most code is passed over by that:
# taking it apart takes a while.
NEAR = re.compile(
    b"|".join(
        re.escape(bytes([dis.opmap[read]])) + b".{1,24}?" + re.escape(bytes([put]))
        for reads, put in (
            (("LOAD_ATTR", "COPY"), dis.opmap["STORE_ATTR"]),
            (("BINARY_SUBSCR",), dis.opmap["STORE_SUBSCR"]),
        )
        for read in reads
        if read in dis.opmap
    ),
    re.DOTALL,
)
# A domain in this form looks at fields of the other model, by their bare names.
INSIDE = frozenset({"any", "not any", "any!", "not any!"})


def mentioned(env, name, method, by_name=True):
    """What the code of a method names, in all of its versions, with its helpers.

    :param env: any; nothing is read with it
    :param str name: technical name of the model whose method it is
    :param method: its name, or the function itself
    :param bool by_name: whether it may compare the names of what it links to; else a
        relation alone is compared by its ids
    :return: a set of ``(model, field)``; the field is "" where only the model is named
    """
    reader = _Reader(env.registry, by_name)
    reader.note(name, method, 0)
    return reader.found


def attributes(registry, name, method, texts=False):
    """:param bool texts: whether its texts count as well, such as names of columns
    :return: the names of attributes in the code of a method of a model, its helpers
        left out
    """
    found = set()
    for function in _versions(registry[name], method):
        strings, names = _words(function.__code__, {})
        found |= names
        if texts:
            found.update(strings)
    return found


def set_in(registry, name, method):
    """:return: the names of attributes that the code of a method sets, and its texts,
    such as the names of fields that it writes"""
    found = set()
    for function in _versions(registry[name], method):
        found.update(_words(function.__code__, {})[0])
        found.update(a for op, a in _steps(function.__code__) if op == "STORE_ATTR")
    return found


def copied_in(cls):
    """What the code of a model sets to the value of another field of the same record:
    ``line.net = line.price``, ``vals["net"] = vals["price"]``, and both of
    ``line.price = line.net = worked_out()``.

    :param cls: of the registry
    :return: a set of pairs: the name that is read, and the one that is set
    """
    bases = [b for b in cls.__mro__ if b.__module__.startswith("odoo.addons.")]
    return set().union(*map(_copies_of, bases))


@cache
def _copies_of(base):
    found = set()
    for function in vars(base).values():
        function = inspect.unwrap(getattr(function, "__func__", function))
        if code := getattr(function, "__code__", None):
            found |= _copies(code)
    return found


def _copies(code):
    if not NEAR.search(code.co_code):
        return frozenset()
    steps, found = _steps(code), set()
    for number in range(len(steps)):
        match steps[number : number + 6]:
            case [
                ("LOAD_FAST", record),
                ("LOAD_ATTR", read),
                ("LOAD_FAST", same),
                ("STORE_ATTR", put),
                *_rest,
            ] if record == same:
                found.add((read, put))
            case [
                ("LOAD_FAST", values),
                ("LOAD_CONST", str(read)),
                ("BINARY_SUBSCR", None),
                ("LOAD_FAST", same),
                ("LOAD_CONST", str(put)),
                ("STORE_SUBSCR", None),
            ] if values == same:
                found.add((read, put))
            case [
                (before, _what),
                ("COPY", 1),
                ("LOAD_FAST", record),
                ("STORE_ATTR", one),
                ("LOAD_FAST", same),
                ("STORE_ATTR", other),
            ] if record == same and before != "LOAD_CONST":
                found |= {(one, other), (other, one)}
    return frozenset(found)


def _steps(code):
    """The instructions of a piece of code, as pairs of their name and what they are
    about, the same for each version of Python."""
    found = []
    for step in dis.get_instructions(code):
        name = step.opname
        if name == "CACHE":
            continue
        if name == "LOAD_FAST_LOAD_FAST":
            found += [("LOAD_FAST", one) for one in step.argval]
        elif name.startswith("LOAD_FAST"):
            found.append(("LOAD_FAST", step.argval))
        else:
            found.append((name, step.argval))
    return found


class _Reader:
    def __init__(self, registry, by_name):
        self.registry = registry
        self.by_name = by_name
        self.found = set()
        self.seen = set()

    def note(self, name, method, depth):
        """Read one method of a model."""
        for function in _versions(self.registry[name], method):
            if (name, function) in self.seen:
                continue
            self.seen.add((name, function))
            strings, names = _words(function.__code__, function.__globals__)
            models = {name} | self._models(strings)
            self.found.update((model, "") for model in models - {name})
            inside = {one for one, then in pairwise(strings) if then in INSIDE}
            links = names | (set(strings) if self.by_name else inside)
            models |= self._linked(name, links)
            self._paths(name, strings)
            own = self.registry[name]._fields
            self.found.update(
                (name, word) for word in names.union(strings) if word in own
            )
            if depth < DEPTH:
                self._helpers(models, names, depth)

    def _models(self, strings):
        """The models that are named, by their own names or by those of their tables."""
        found = {text for text in strings if text in self.registry}
        words = {w for text in strings if " " in text for w in WORD.findall(text)}
        if words:
            found |= {n for n, c in self.registry.items() if c._table in words}
        return found

    def _linked(self, name, words):
        """The models behind relations that are named, and those behind theirs."""
        found, todo = set(), [name]
        while todo:
            fields = self.registry[todo.pop()]._fields
            for word in words:
                field = fields.get(word)
                comodel = field is not None and field.relational and field.comodel_name
                if comodel and comodel not in found and comodel in self.registry:
                    found.add(comodel)
                    self.found.add((comodel, ""))
                    todo.append(comodel)
        return found

    def _paths(self, name, strings):
        """The fields that paths lead through: ``partner_id.email``."""
        for text in strings:
            model = name
            for step in text.split(".") if "." in text else ():
                field = self.registry[model]._fields.get(step)
                if field is None:
                    break
                self.found.add((model, step))
                if not field.relational or field.comodel_name not in self.registry:
                    break
                model = field.comodel_name
                self.found.add((model, ""))

    def _helpers(self, models, names, depth):
        for word in names:
            if hasattr(BaseModel, word):
                continue
            for model in models:
                if callable(getattr(self.registry[model], word, None)):
                    self.note(model, word, depth + 1)


def _versions(cls, method):
    """The functions that a method of a model is made of, Odoo's core left out."""
    if callable(method):
        found = [method]
    else:
        found = [vars(c)[method] for c in cls.__mro__ if method in vars(c)]
    core = vars(BaseModel).values()
    for function in found:
        function = inspect.unwrap(getattr(function, "__func__", function))
        if function not in core and hasattr(function, "__code__"):
            yield function


def _words(code, values):
    """:param dict values: the names of its module, such as lists of models
    :return: the texts in a piece of code, one after the other, and the names of
        attributes in it
    """
    strings, names = [], set()
    for step in dis.get_instructions(code):
        if step.opname in ("LOAD_ATTR", "LOAD_METHOD"):
            names.add(step.argval)
        elif step.opname == "LOAD_GLOBAL":
            _constant(values.get(step.argval), values, strings, names)
        elif step.opcode in dis.hasconst:
            _constant(step.argval, values, strings, names)
    return strings, names


def _constant(value, values, strings, names):
    if isinstance(value, str):
        strings.append(value)
    elif isinstance(value, tuple | frozenset | list | set | dict):
        for one in value:
            _constant(one, values, strings, names)
        if isinstance(value, dict):
            _constant(list(value.values()), values, strings, names)
    elif isinstance(value, CodeType):
        more, attributes = _words(value, values)
        strings += more
        names |= attributes
