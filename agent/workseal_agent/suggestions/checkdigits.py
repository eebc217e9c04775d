"""The check digits of payment cards and bank accounts, with letters that are read for digits."""

from typing import Final

_READ_FOR: Final = str.maketrans("OoIl", "0011")
_DIGITS: Final = frozenset("0123456789")
# ISO 13616: the shortest and the longest account number in use.
_IBAN_LENGTHS: Final = range(34, 14, -1)
_MAX_MISREAD: Final = 2


def card_fits(text: str) -> bool:
    """Say whether digits and separators are a card's number: 13 to 19 digits, Luhn's sum."""
    letters = sum(letter.isalpha() for letter in text)
    digits = [int(one) for one in text.translate(_READ_FOR) if one in _DIGITS]
    if letters > _MAX_MISREAD or not 13 <= len(digits) <= 19 or len(set(digits)) < 2:
        return False
    doubled = (digit * 2 - 9 * (digit > 4) for digit in digits[-2::-2])
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0


def iban_length(text: str) -> int:
    """Count the characters, spaces included, of the account number that the text begins with.

    0 when it begins with none. ISO 7064: the remainder by 97 is one.
    """
    places = [place for place, letter in enumerate(text) if letter != " "]
    plain = "".join(text[place] for place in places)
    plain = plain[:2] + plain[2:4].translate(_READ_FOR) + plain[4:]
    for length in _IBAN_LENGTHS:
        if length <= len(plain) and _remainder(plain[:length]) == 1:
            return places[length - 1] + 1
    return 0


def _remainder(plain: str) -> int:
    if not plain[2:4].isdigit():
        return 0
    return int("".join(str(int(letter, 36)) for letter in plain[4:] + plain[:4])) % 97
