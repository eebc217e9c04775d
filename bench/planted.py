"""Make the secrets that a bench plants: keys, cards, passwords, names, numbers of persons.

Nothing of it was ever a key to anything. Each function gives the class and the text of each.
"""

import importlib
import random
import string
from collections.abc import Iterator

from workseal_agent.suggestions import Kind


def letters(chance: random.Random, pool: str, count: int) -> str:
    return "".join(chance.choice(pool) for _ in range(count))


def secrets_of(chance: random.Random) -> Iterator[tuple[Kind, str]]:
    """Make one of each; nothing of it was ever a key to anything."""
    both = string.ascii_letters + string.digits
    word = letters(chance, string.ascii_lowercase, 6)
    yield Kind.ACCESS_KEY, "AKIA" + letters(chance, string.ascii_uppercase + "234567", 16)
    yield Kind.TOKEN, "ghp_" + letters(chance, both, 36)
    yield Kind.EMAIL, f"{word}.{letters(chance, string.ascii_lowercase, 5)}@mail.example.org"
    yield Kind.CARD, card(chance)
    yield Kind.PASSWORD, f"password = {word.title()}{letters(chance, string.digits, 3)}!"
    yield Kind.IP_ADDRESS, ".".join(str(chance.randint(128, 223)) for _ in range(4))
    yield Kind.PHONE, f"+49 1{chance.randint(50, 79)} {chance.randint(1_000_000, 9_999_999)}"
    parts = (letters(chance, both + "-_", count) for count in (17, 30, 43))
    yield Kind.TOKEN, "eyJ" + ".".join(parts)


# How people and programs write a password down. {} is one; a tab is a gap, as between a form's
# boxes. What no letter of the fonts here can write (Chinese, Japanese) is not among them.
WRITTEN = {
    "terminal": (
        "$ mysql -uroot -p{}", "curl -u admin:{} https://db.lan/", "$ sshpass -p '{}' ssh db.lan",
        "password for bob@db.lan: {}", "$ backup --password={} --all", "redis://:{}@cache:6379/0",
    ),
    "form": (
        "Password:\t{}", "Passwort\t{}", "Password\n{}", "Kennwort\n{}", "Mot de passe :\t{}",
        "Contraseña\t{}", "Wi-Fi password\n{}",
    ),
    "chat": (
        "the password is {}", "pw: {}", "Das Passwort ist {}", "Passwort lautet {}",
        "le mot de passe : {}", "la contraseña es {}", "use {} as password", "hasło: {}",
        "пароль: {}", "login: bob / {}",
    ),
    ".env": (
        "DB_PASSWORD={}", "export PGPASSWORD='{}'", 'SMTP_PASS="{}"', "spring.mail.password={}",
        "ansible_become_pass: {}", "MYSQL_ROOT_PASSWORD: {}",
    ),
    "code": (
        'password = "{}"', "'password' => '{}',", '"password": "{}",', "dbPassword: '{}',",
        "define('DB_PASSWORD', '{}');", 'PASSWORD: Final = "{}"', 'password: str = "{}"',
        "IDENTIFIED BY '{}';",
    ),
}  # fmt: skip
SYMBOLS = "!@#$%^&*()-_=+[]{}<>?"


def password(chance: random.Random) -> str:
    """Make one as people and their managers do: all with signs, brackets and `$` among them."""
    word = letters(chance, "bdfgklmnprst", 1).upper() + letters(chance, "aeiou", 1)
    word += letters(chance, string.ascii_lowercase, chance.randint(3, 5))
    number = str(chance.randint(10, 2099))
    return chance.choice(
        (
            letters(chance, string.ascii_letters + string.digits + SYMBOLS, chance.randint(10, 20)),
            f"{word}({number}){chance.choice('!$?')}",
            f"{chance.choice('$[{<')}{word}{chance.choice('_$.-')}{number}",
            f"{word.lower()}[{number}]{letters(chance, SYMBOLS, 2)}",
        )
    )


# In the freelancer's list, and how others write them.
NAMES = {
    "Jürgen Strauß": ("Jürgen Strauß", "Juergen Strauss", "JÜRGEN STRAUß", "Jurgen Strauss"),
    "Käthe Müller": ("Käthe Müller", "Kaethe Mueller", "Ka\u0308the Mu\u0308ller", "KATHE MULLER"),
    "Schoenbaechler": ("Schönbächler", "Schoenbaechler", "SCHÖNBÄCHLER", "Schonbachler"),
    "Søren Ångström": ("Søren Ångström", "Soeren Angstroem", "Soren Angstrom", "SØREN ÅNGSTRÖM"),
    "Núñez Çağlar": ("Núñez Çağlar", "Nunez Caglar", "NÚÑEZ ÇAĞLAR", "Nu\u0301n\u0303ez Çağlar"),
    "Łukasz Dvořák": (
        "Łukasz Dvořák",
        "Lukasz Dvorak",
        "ŁUKASZ DVOŘÁK",
        "Łukasz Dvor\u030ca\u0301k",
    ),
}


def passwords_of(chance: random.Random) -> Iterator[tuple[Kind, str]]:
    """Write passwords as each place does, and names of the list as others write them."""
    for ways in WRITTEN.values():
        for way in chance.sample(ways, 4):
            yield Kind.PASSWORD, way.replace("{}", password(chance), 1)
    for forms in NAMES.values():
        yield Kind.NAME, f"minutes by {chance.choice(forms)}, sent"


# Words as people take them, behind labels as people write them; no digit and no sign tells them.
PLAIN = (
    "mysecret", "$ecretpassword", "letmein", "swordfish", "monkey", "whiskey", "sommerregen",
    "liverpool", "mypassword", "butterfly", "passwort", "geheim", "trustnoone", "sunshine",
    "correct-horse", "schatzi", "motdepasse", "supersecret", "qwertz", "dragon",
)  # fmt: skip
PLAINLY = (
    "Password: {}", "password = {}", "Passwort: {}", "pwd = {}", "Passwort {}", "Kennwort\t{}",
    "Password\n{}", "pw: {}", "Mot de passe : {}", "Contraseña\t{}", "DB_PASSWORD={}",
    "the password is {}", "login: bob / password: {}", '"password": "{}",',
)  # fmt: skip
PINS = ("PIN: {}", "PIN {}", "PIN\n{}", "PUK\t{}")
# What knows the number, and how a state writes it: # is any digit, @ any letter.
NUMBERS = {
    "us.ssn": "###-##-####", "de.idnr": "## ### ### ###", "in_.aadhaar": "#### #### ####",
    "in_.pan": "@@@P@####@", "br.cpf": "###.###.###-##", "es.dni": "########@",
    "es.nie": "X#######@", "ca.sin": "### ### ###", "fr.nir": "1 ## 0# 75 ### ### ##",
    "pl.pesel": "###########", "it.codicefiscale": "@@@@@@##A##@###@", "ch.ssn": "756.####.####.##",
    "se.personnummer": "######-####", "be.nn": "##.##.##-###.##",
}  # fmt: skip


def words_of(chance: random.Random) -> Iterator[tuple[Kind, str]]:
    """Write plain words behind labels, and numbers by which states know a person."""
    for way in chance.sample(PLAINLY, 10):
        yield Kind.PASSWORD, way.replace("{}", chance.choice(PLAIN))
    yield Kind.PASSWORD, chance.choice(PINS).replace("{}", letters(chance, string.digits, 4))
    for name in chance.sample(list(NUMBERS), 8):
        yield Kind.IDENTITY, number_of(chance, name)
    pairs = (letters(chance, string.digits, 2) for _ in range(3))
    yield Kind.IDENTITY, f"AB {' '.join(pairs)} C"


def number_of(chance: random.Random, name: str) -> str:
    """Draw numbers until one fits; whose it may be is not known."""
    known = importlib.import_module(f"stdnum.{name}")
    while True:
        drawn = (
            letters(chance, string.digits, 1)
            if one == "#"
            else letters(chance, string.ascii_uppercase, 1)
            if one == "@"
            else one
            for one in NUMBERS[name]
        )
        number = "".join(drawn)
        if known.is_valid(number):
            return number


def card(chance: random.Random) -> str:
    digits = [4, *(chance.randint(0, 9) for _ in range(14))]
    doubled = [2 * one - 9 * (2 * one > 9) for one in digits[::2]]
    digits.append(-(sum(doubled) + sum(digits[1::2])) % 10)
    text = "".join(map(str, digits))
    return " ".join(text[at : at + 4] for at in range(0, 16, 4))
