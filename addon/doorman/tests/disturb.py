"""Names as people mistype them, the same ones in every run."""

import random

from lxml import etree

from odoo.tools import file_open

SEED = 20_261_128
LETTERS = "abcdefghijklmnopqrstuvwxyz"


def _left_out(word, at, _chance):
    return word[:at] + word[at + 1 :]


def _twice(word, at, _chance):
    return word[: at + 1] + word[at:]


def _another(word, at, chance):
    return word[:at] + chance.choice(LETTERS) + word[at + 1 :]


def _put_in(word, at, chance):
    return word[:at] + chance.choice(LETTERS) + word[at:]


def _swapped(word, at, _chance):
    at = min(at, len(word) - 2)
    return word[:at] + word[at + 1] + word[at] + word[at + 2 :]


# ``how(word, at, chance)``: what can go wrong with a letter.
DISTURB = (_left_out, _twice, _another, _put_in, _swapped)


def disturbed(names, many=100):
    """:return: pairs of a name as it is typed and as it is, ``many`` of them: with a
    letter or two wrong, words in another order, blanks, small letters"""
    chance = random.Random(SEED)
    names = sorted(names)
    found = []
    while len(found) < many:
        name = names[len(found) % len(names)]
        words = name.split()
        long = [i for i, word in enumerate(words) if len(word) > 3 and word.isalpha()]
        if not long:
            names.remove(name)
            continue
        typos = chance.choice((1, 1, 2)) if len(name) > 8 else 1
        for i in chance.sample(long, min(typos, len(long))):
            word = words[i]
            words[i] = chance.choice(DISTURB)(word, chance.randrange(len(word)), chance)
        if chance.random() < 0.3:
            chance.shuffle(words)
        typed = chance.choice((" ", " ", "  ")).join(words)
        found.append((typed.lower() if chance.random() < 0.5 else typed, name))
    return found


def demo_names(path, model):
    """The names of the records of a demo file of Odoo's, whether it is loaded or not.

    :param str path: such as ``product/data/product_demo.xml``
    """
    with file_open(path, "rb") as file:
        tree = etree.parse(file)
    fields = tree.xpath(f"//record[@model='{model}']/field[@name='name']")
    return sorted({field.text.strip() for field in fields if field.text})
