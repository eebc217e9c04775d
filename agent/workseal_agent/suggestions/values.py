"""What may stand behind a label: a secret, or code, a place to fill in, a word that says nothing.

Rules: a secret may have any sign in it, brackets and `$` too. It is taken for code only where all
of it reads as code: names made of words, put together as a program does. In doubt it is a secret.
"""

import re
from typing import Final

_SAYS_NOTHING: Final = frozenset(
    """
    str string text bytes none null nil true false bool boolean int integer optional required
    undefined varchar char self os getenv env input the not your invalid wrong changed empty
    secretstr any object const default missing incorrect expired stored hashed encrypted kept set
    unset given needed shown hidden redacted masked sent checked asked changeme todo and or for
    must should may can minimum forgot forgotten reset show hide enter choose type confirm repeat
    new old same user username value values strong weak good fair see here yes no return
    """.split()  # noqa: SIM905 - a list of words reads better as words
)
# What stands beside a label, or under it, in forms, menus and tables.
_OF_A_FORM: Final = frozenset(
    """
    account accounts active admin again age alias back button cancel changes clear client close code
    column columns comment continue count created credentials current database date day days default
    description details domain edit else email entropy error errors export field fields file filter
    finally forgot form format from fields generate generator group hash hashes hashing help hint
    history host hostname id import info inputs item items join key keys label language last later
    length level limit line list lists load login logout mail manager managers match message method
    name names next note notes number once only option options owner page password passwords path
    phone policy policies port profile prompt protection protocol question recovery register
    remember remote reuse role roles rotate rotation rule rules salt save search security server
    service session settings sharing sign size skip source state status store storage strength
    submit support sync system table tag test tests then time title token tool type updated url
    usage users vault version view visible when which while with without
    abbrechen anmelden benutzer benutzername eingeben erneut ersetzen falsch fehlt hinweis konto
    leer merken nein oder raten rolle speichern und vergessen weiter wiederholen zeigen ändern
    ajouter annuler changer compte confirmer connexion modifier nom oublié ou rester suivant valider
    acceder cambiar correo cuenta entrar mostrar nombre nueva nuevo olvidada recordar usuario
    accedi annulla avanti cambia conferma esci mostra nome nuova utente alterar esqueci mudar senha
    anuluj dalej zaloguj zmień gebruiker inloggen opslaan vergeten wijzigen
    """.split()  # noqa: SIM905 - as above
)
_PLAIN_WORD: Final = re.compile(r"[^\W\d_]{4,40}(?:-[^\W\d_]{2,40}){0,4}")
_SAYS_HOW: Final = re.compile(r"[a-z]{2,}(?:ed|ing|ly|ment|able|ible|tion)|ge[a-zäöüß]{2,}t")
_TAKEN_FOR_LETTERS: Final = re.compile(r"[•●*·.…xX_-]{3,}|[oO]{6,}")
_NAMED: Final = (  # how programs call a variable that holds one
    r"(?:pass(?:w(?:or)?[dt]|phrase)?|pwd|pw|secret|token|key|kennwort|mdp|clave|senha|creds?)"
)
# What a variable's name begins with, behind `$`; in `$ecretpassword` the sign is a letter.
_OWNED: Final = r"(?:admin|app|conf|current|db|hashed|login|my|new|old|plain|raw|root|the|user)"
_TO_FILL_IN: Final = re.compile(
    rf"<[a-z_ .-]{{2,40}}>?|\[[a-z_ -]{{2,40}}\]?|\{{{{1,2}}[a-z_. -]{{0,40}}\}}{{0,2}}"
    rf"|%\(?[a-z_]{{1,40}}\)?[s%]?|\$\([a-z]{{2,20}}\)?|\$\d|\$\{{[a-z_][a-z0-9_:.-]{{0,60}}\}}?"
    rf"|\$(?:[a-z]{{1,20}}_){{0,3}}{_OWNED}?{_NAMED}(?:_[a-z]{{1,20}}){{0,3}}"
    rf"|[a-z_.]{{0,60}}[_.]{_NAMED}|{_NAMED}_[a-z_]{{1,40}}"
    # dbPassword, $passwordHash. In small letters alone, "mysecret" and "monkey" are secrets.
    r"|(?-i:\$?[a-z]{2,30}(?:Pass(?:w(?:or)?d|phrase)?|Pwd|Pw|Secret|Token|Key)(?:[A-Z][a-z]{1,20})?)"
    r"|(?-i:\$(?:pass(?:word)?|pwd|pw)[A-Z][A-Za-z]{1,30})",
    re.IGNORECASE,
)
_OF_A_SHELL: Final = re.compile(r"\$[A-Z_][A-Z_]{1,60}")
_ROOTS: Final = re.compile(
    r"(?:self|cls|this|os|sys|config|conf|cfg|settings|args|opts|options|params|props|state|process"
    r"|req|request|form|user|data|body|env|ctx|app|db|secrets|keyring)(?:(?:\.|->)_?[A-Za-z_]+){1,6}"
)
_CODE_SIGNS: Final = frozenset("()[]{}<>.,:;'\"=&*|?")
_PIECES: Final = re.compile(r"\$?[A-Za-z_]+\d{0,3}|->|\d+|\W")
# Sommer(24) is what people think of; a program asks for token_hex(24).
_NUMBERED: Final = re.compile(r"[A-Za-z]+\(\d+\)\W*")
# A pair of brackets around a word may be anything; with a number in it, and no end, it is no code.
_OPENED: Final = re.compile(r"[\[({<][^\])}>]*\d[^\])}>]*$")
_JOINED: Final = re.compile(r"(?<!\$)\b[A-Za-z_]\w*[(\[{<]|->|::|^[(\[{<]|\$\w+\[")
_WORDS: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_ALGORITHM: Final = re.compile(
    r"(?:sha|md|base|utf|argon|pbkdf|oauth|int|uint|float|latin|iso|aes|b|x|v|h)[\d-]{1,5}\w{0,8}",
    re.IGNORECASE,
)
# Of the letters: a program has short names too, but not only these.
_MOSTLY: Final = 0.6
_VOWELS: Final = frozenset("aeiouyAEIOUY")
_CLOSING: Final = "'\"`,;)]}>.:”’»"
_SIGNS: Final = frozenset("!@#$%^&*+=~?<>{}[]()|\\;`'\"")
_NO_SECRET: Final = re.compile(
    r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+\W?|[a-z]{2,9}://.*|[~./\\].*|\d{1,4}(?:[-./:]\d{1,4}){1,3}\W?|-.*"
    r"|[\w./-]+\(\)|[A-Za-z]+[!?.,:;)]{1,3}|\([A-Za-z -]+\)?|#\w+",
    re.IGNORECASE,
)


def may_be_secret(value: str, *, quoted: bool = False) -> bool:
    """Say whether what a label and a sign name may be a secret.

    What stood in quotation marks is no code, but may be a place to fill in.
    """
    bare = value.rstrip(_CLOSING)
    plain = value.strip(_CLOSING + "<([{“‘«").lower()
    if not plain or _TAKEN_FOR_LETTERS.fullmatch(value.rstrip("'\",;)")):
        return False
    if plain in _SAYS_NOTHING or _TO_FILL_IN.fullmatch(bare) or _TO_FILL_IN.fullmatch(value):
        return False
    if quoted:
        return True
    return not (_OF_A_SHELL.fullmatch(bare) or _ROOTS.fullmatch(bare) or _is_code(value))


def is_told(value: str, *, least: int = 6) -> bool:
    """Say whether something looks like a secret where only a word before it says so.

    It has letters and digits, or signs in it that no word and no address has.
    """
    if len(value) < least or _NO_SECRET.fullmatch(value) or _ALGORITHM.fullmatch(value):
        return False
    digit = any(map(str.isdigit, value))
    letter = any(map(str.isalpha, value))
    sign = any(one in _SIGNS for one in value.rstrip(_CLOSING)[:-1])
    return digit + letter + sign > 1 and may_be_secret(value)


def is_plain(value: str) -> bool:
    """Say whether it is one word, and none of those that forms and tables have there."""
    word = value.lower()
    return (
        _PLAIN_WORD.fullmatch(value) is not None
        and not {word, *word.split("-")} & (_OF_A_FORM | _SAYS_NOTHING)
        and _SAYS_HOW.fullmatch(word) is None
    )


def _is_code(value: str) -> bool:
    """Say whether all of it is names made of words, and brackets and signs as code has them."""
    if _JOINED.search(value) is None or _NUMBERED.fullmatch(value) or _OPENED.match(value):
        return False
    found = (one.removeprefix("$") for one in _PIECES.findall(value))
    pieces = [one for one in found if one not in _CODE_SIGNS and one != "->"]
    names = [one for one in pieces if not one.isdigit() and not _ALGORITHM.fullmatch(one)]
    words = [word for name in names for word in _WORDS.findall(name)]
    return (
        all(len(one) < 3 for one in pieces if one.isdigit())
        and all(one.isascii() and one.replace("_", "").isalpha() for one in names if one != "_")
        and _read_as_words(words)
    )


def _read_as_words(words: list[str]) -> bool:
    """Say whether letters are words, as names in programs are, rather than drawn by chance."""
    letters = sum(map(len, words))
    said = sum(len(word) for word in words if len(word) > 2 and _is_word(word))
    single = sum(len(word) == 1 for word in words)
    return single <= 1 and said >= _MOSTLY * letters


def _is_word(word: str) -> bool:
    return word.isupper() or len(word) < 4 or bool(_VOWELS & set(word))
