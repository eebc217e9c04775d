import random
import string

import pytest

from workseal_agent.suggestions.labels import find_labelled, is_label, is_value
from workseal_agent.suggestions.suggestion import Kind

SIGNS = "!@#$%^&*()-_=+[]{}<>?"


def found(text: str) -> bool:
    return any(one.kind is Kind.PASSWORD for one in find_labelled(text))


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("Password: K7$vb(Qz[9", id="a form"),
        pytest.param("Password  {Sonne$24}", id="a form whose colon was not read"),
        pytest.param("password (again): ab$(c)9", id="a remark between"),
        pytest.param("Password for bob@host: ab$(c)9", id="for whom"),
        pytest.param("Passw0rd: ab$(c)9", id="a letter misread"),
        pytest.param('password = "p@ss{w0rd}<1>"', id="code"),
        pytest.param('password: str = "ab$(c)9"', id="code with a type between"),
        pytest.param("config['password'] = 'ab$(c)9'", id="an index"),
        pytest.param("'password' => 'ab$(c)9',", id="an arrow"),
        pytest.param("define('DB_PASSWORD', 'x$9(k[q');", id="define"),
        pytest.param('"password": "a{B<3$x(]"', id="JSON"),
        pytest.param("dbPassword: ab$(c)9", id="camel case"),
        pytest.param("<password>ab$(c)9</password>", id="XML"),
        pytest.param("| password | ab$(c)9 |", id="a table"),
        pytest.param("IDENTIFIED BY 'ab$(c)9'", id="SQL"),
        pytest.param("export DB_PASSWORD='x(9]{2}#a'", id="a shell's variable"),
        pytest.param("PASSWORD=$ecret(1)", id="a file of variables"),
        pytest.param('ANSIBLE_BECOME_PASS: "ab$(c)9"', id="YAML"),
        pytest.param("mysql -uroot -pS3c[r]et$", id="mysql"),
        pytest.param("curl -u admin:p(a$s)9 https://h", id="curl"),
        pytest.param("$mysql -uroot -pS3c[r]et$", id="mysql, a prompt read with it"),
        pytest.param("Contraseña  Peawgs (39)!", id="a form, a space read into it"),
        pytest.param("Kennwort: kobxe[618]&[", id="a number in brackets"),
        pytest.param("Das Passwort ist <Tuivakf.971", id="a bracket that does not end"),
        pytest.param("sshpass -p 'x(9$' ssh h", id="sshpass"),
        pytest.param("run --password ab(c)9$ now", id="an option"),
        pytest.param("redis://:p(a)s$9@h:6379", id="an address"),
        pytest.param("postgres://u:p@ssw0rd@h/db", id="an address, @ in the password"),
        pytest.param("bob: the pw is h(u)nter$2 ok?", id="chat"),
        pytest.param("the password is swordfish", id="chat, a word"),
        pytest.param("login: bob / h[u]nter$2", id="a pair"),
        pytest.param("use ab$(c)9 as password", id="before its label"),
        pytest.param("PASSWORD hunter2", id="one space"),
        pytest.param("PIN 4821", id="a PIN"),
        pytest.param("Passwort ist Sommer(24)", id="German"),
        pytest.param("WLAN-Schlüssel: 83745(92)", id="German, a network"),
        pytest.param("Mot de passe : (azerty)$99", id="French"),
        pytest.param("Contraseña: ¡Hola[2024]!", id="Spanish"),
        pytest.param("Contrasefia: Hola[2024]!", id="Spanish, misread"),
        pytest.param("Senha: casa$(9)", id="Portuguese"),
        pytest.param("Hasło: zimno(5)$", id="Polish"),
        pytest.param("пароль: секрет[12]", id="Russian"),
        pytest.param("密码：abc$(12]", id="Chinese"),
        pytest.param("パスワード：abc[12345]", id="Japanese"),
    ],
)
def test_finds_a_password_with_signs_in_it(text: str) -> None:
    assert found(text)


@pytest.mark.parametrize("signs", [string.punctuation, SIGNS, "!@#$%^&*()"])
def test_hardly_a_password_drawn_by_chance_is_taken_for_code(signs: str) -> None:
    chance = random.Random(1)
    pool = string.ascii_letters + string.digits + signs
    drawn = ["".join(chance.choice(pool) for _ in range(16)) for _ in range(1_000)]
    assert sum(not found(f"password: {one}") for one in drawn) <= 3


@pytest.mark.parametrize(
    "text",
    [
        "password = getpass.getpass(prompt)",
        "password = os.environ['DB_PASSWORD']",
        "password = secrets.token_hex(16)",
        "password: Optional[str] = None",
        "passwords: list[str]",
        "password=password, user=user",
        "password = hash_password(password)",
        "$password = $_POST['password'];",
        "$this->password = $row->password;",
        "DB_PASSWORD=${DB_PASSWORD}",
        "PASSWORD=$DB_PASSWORD",
        "password: {{ vault_password }}",
        "password: <your password>",
        "password = self._password",
        "const password = process.env.DB_PASSWORD;",
        "postgres://user:password@localhost/db",
        "Password: at least 12 characters",
        "Password  ••••••••",
        "Password strength: good",
        "The password is stored as a hash.",
        "the passkey is longer than any in use",
        'names = ["username", "password", "database"]',
        "this will pass force_zip64 to use it",
        "password sha256 utf8",
        "user.set_password = wrapper()",
    ],
)
def test_leaves_code_and_sentences_about_passwords_alone(text: str) -> None:
    assert not found(text)


def test_a_label_alone_may_have_its_value_below() -> None:
    assert all(map(is_label, ("Password", "Your password:", "Kennwort *", "Wi-Fi password")))
    assert all(map(is_label, ("Pas sword", "Kennwo rt:")))
    assert not any(map(is_label, ("Password strength: good", "Show password now", "Username")))
    values = ("K7$vb(Qz", "hunter2", "ab$(c)9 O", "mysecret", "$ecretpassword", "482913")
    assert all(is_value(one, "Password:") for one in values)
    others = ("Remember me", "••••••••", "at least 12 characters or more", "remember", "Log in")
    assert not any(is_value(one, "Password:") for one in others)


def test_below_a_word_of_programs_no_plain_word_is_a_value() -> None:
    assert not any(is_value(one, "pass") for one in ("finally:", "else:", "mysecret"))
    assert not is_value("ground", "Pin")
    assert is_value("4821", "PIN")


@pytest.mark.parametrize(
    "text",
    [
        "password: mysecret",
        "password: $ecretpassword",
        "Passwort: mysecret",
        "pwd = mysecret",
        "pwd=$ecretpassword",
        "password = monkey",
        "Passwort mysecret",
        "pw mysecret  ",
        "Passwort  Sommerwiese  ",
        "Kennwort  mysecret",
        '"password": "mysecret",',
        "the password is mysecret",
        "PIN: 4821",
        "PIN  4821",
    ],
)
def test_finds_a_plain_word_behind_a_label(text: str) -> None:
    assert found(text)


@pytest.mark.parametrize(
    "text",
    [
        "Password Manager",
        "Password settings",
        "Passwort vergessen",
        "Passwort Ändern",
        "Password required",
        "Password  Role",
        "password  email",
        "Password-protected files",
        "pass mysecret",
        "password = dbPassword",
        "password: userPassword,",
        "$password = $dbpassword;",
        "$password = $passwordHash;",
        "password = user.password",
        "password = db_password",
    ],
)
def test_leaves_menus_and_names_of_programs_alone(text: str) -> None:
    assert not found(text)


@pytest.mark.parametrize("piece", ["password:", "pw ", "a-u ", "(password", "x:", "token=", '"'])
def test_a_long_line_is_bounded_work(piece: str) -> None:
    for one in find_labelled((piece * 4096)[:4096]):
        assert one.end <= 4096
