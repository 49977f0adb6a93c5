"""How alike two names are to a person, who may have mistyped one of them: accents, the
order of words, a letter or two. Nothing here knows Odoo or the database."""

import re
import unicodedata

WORD = re.compile(r"[^\W_]+")
# Letters that are no letter with an accent, and are typed as others.
LETTERS = str.maketrans(
    {"ø": "o", "œ": "oe", "æ": "ae", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ı": "i"}
)
# Words of so many letters may have one letter wrong, or two.
ONE_WRONG, TWO_WRONG = 4, 7
# What two words must have in common to count as the same, mistyped.
ALIKE = 0.6
# What a name must reach to be offered.
NEAR = 0.62


def fold(text):
    """A text as it is compared: small letters without accents."""
    if text.isascii():
        return text.lower()
    text = unicodedata.normalize("NFKD", text.casefold()).translate(LETTERS)
    return "".join(letter for letter in text if not unicodedata.combining(letter))


def words_of(text):
    """:return: the words and numbers of a text, folded, in a list"""
    return WORD.findall(fold(text))


def _accented():
    """:return: the letters that fold to another one, and their capitals, as a class of
    a regular expression"""
    found = {}
    for letter in map(chr, (*range(0xC0, 0x250), *range(0x370, 0x530))):
        folded = fold(letter)
        if len(folded) == 1 and folded != letter and WORD.fullmatch(folded):
            found[folded] = found.get(folded, folded) + letter
    for letter in map(chr, range(0x1E00, 0x2000)):
        folded = fold(letter)
        if folded in found:
            found[folded] += letter
    return {letter: f"[{letters}]" for letter, letters in found.items()}


ACCENTED = _accented()


def is_number(word):
    """Whether a word has a digit in it. One that is wrong makes it another number."""
    return any(letter.isdigit() for letter in word)


def pieces(word):
    """Parts of a word, one of which at least is left in a name in which a letter of the
    word is another, missing or one too many, or two have changed places; of a long
    word, also with two such mistakes.

    :param str word: folded
    :return: a list of texts
    """
    size = len(word)
    if size < ONE_WRONG or is_number(word):
        return [word]
    if size >= TWO_WRONG:
        one, two = round(size / 3), round(2 * size / 3)
        return list(dict.fromkeys((word[:one], word[one:two], word[two:])))
    half = size // 2
    # Two that have changed places in the middle leave neither half.
    swapped = word[: half - 1] + word[half] + word[half - 1] + word[half + 1 :]
    return list(dict.fromkeys((word[:half], word[half:], swapped)))


def pattern(parts):
    """A regular expression that finds any of some pieces in a name as it is kept, with
    its accents, whatever the case of its letters.

    :param parts: folded; letters and digits alone, none of which means anything in a
        regular expression
    """
    return "|".join(
        "".join(ACCENTED.get(letter, letter) for letter in part) for part in parts
    )


def grams(text):
    """:return: the groups of three letters of the words of a text, as a set"""
    return {
        padded[i : i + 3]
        for padded in (f" {word} " for word in words_of(text))
        for i in range(len(padded) - 2)
    }


def distance(one, other, most):
    """How many letters have to be changed, put in, left out or swapped with the next
    one to make one word of the other.

    :param int most: what counts as too many
    :return: at most ``most + 1``
    """
    if abs(len(one) - len(other)) > most:
        return most + 1
    before, row = [], list(range(len(other) + 1))
    for i, letter in enumerate(one, 1):
        last, before, row = before, row, [i]
        for j, wanted in enumerate(other, 1):
            cost = min(
                before[j] + 1, row[j - 1] + 1, before[j - 1] + (letter != wanted)
            )
            if i > 1 < j and letter == other[j - 2] and one[i - 2] == wanted:
                cost = min(cost, last[j - 2] + 1)
            row.append(cost)
        if min(row) > most:
            return most + 1
    return row[-1]


def _alike(asked, word):
    """How alike two words are, from 0 to 1. Part of a word is nearly as good."""
    if asked == word:
        return 1.0
    if word.startswith(asked):
        return 0.95
    if len(asked) > 2 and asked in word:
        return 0.85
    if is_number(asked):
        return 0.0
    most = len(asked) // 3 + (len(asked) > 3)
    wrong = distance(asked, word, most)
    found = 1 - wrong / max(len(asked), len(word))
    return found if wrong <= most and found >= ALIKE else 0.0


def likeness(asked, name):
    """How likely a name is the one that was asked for.

    :param str asked: as a person has typed it
    :param str name: as it is kept
    :return: from 0 to 1; below ``NEAR`` it is another name
    """
    wanted, there = words_of(asked), words_of(name)
    letters = sum(map(len, wanted))
    if not letters or not there:
        return 0.0
    each = [max(_alike(word, other) for other in there) for word in wanted]
    if any(is_number(w) and not alike for w, alike in zip(wanted, each, strict=True)):
        return 0.0
    by_word = sum(len(w) * a for w, a in zip(wanted, each, strict=True)) / letters
    # "Azureinterior" is one word, and so is "Azure Interior" of both.
    whole = _alike("".join(wanted), "".join(there)) if len(there) < 6 else 0.0
    # Of two names that are as near, the one that says nothing else comes first.
    rest = min(1, letters / sum(map(len, there)))
    return 0.92 * max(by_word, whole) + 0.08 * rest


def holds(asked, name):
    """Whether a name has all of the words that were asked for, whatever their order and
    accents."""
    folded = fold(name)
    return all(word in folded for word in words_of(asked))
