from pathlib import Path

import pytest

from workseal_verifier.config import SETTINGS_FILE, Settings
from workseal_verifier.errors import SettingsError
from workseal_verifier.outsiders import MAX_AUTHORITIES, MAX_RELAYS, DrandSettings, TsaSettings

GOOD = """
[[tsa]]
name = "first"
url = "https://user:secret@tsa.example/ts?key=secret"
roots = "roots.pem"
policy = "1.3.6.1.4.1.32473.1"

[[tsa]]
roots = ["a.pem", "/b.pem"]
policy = "2.25.139425672183490128734650912387465091238"
intermediates = ["c.pem"]
"""


DRAND = f"""
[drand]
urls = ["https://user:secret@relay.example/", "http://other.example"]
chain = "{"0a" * 32}"
key = "{"0b" * 96}"
genesis = 1692803367
period = 3
"""


def load(folder: Path, text: str) -> Settings:
    (folder / SETTINGS_FILE).write_text(f'origin = "a"\n{text}')
    return Settings.load(folder)


def test_reads_authorities_in_their_order(tmp_path: Path) -> None:
    assert load(tmp_path, GOOD).tsa == (
        TsaSettings(
            name="first",
            url="https://user:secret@tsa.example/ts?key=secret",
            roots=("roots.pem",),
            policy="1.3.6.1.4.1.32473.1",
        ),
        TsaSettings(
            name="tsa-2",
            roots=("a.pem", "/b.pem"),
            policy="2.25.139425672183490128734650912387465091238",
            intermediates=("c.pem",),
        ),
    )


def test_reads_a_drand_network(tmp_path: Path) -> None:
    assert load(tmp_path, "").drand is None
    assert load(tmp_path, DRAND).drand == DrandSettings(
        urls=("https://user:secret@relay.example/", "http://other.example"),
        chain="0a" * 32,
        key="0b" * 96,
        genesis=1_692_803_367,
        period=3,
    )


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        pytest.param('tsa_url = "http://x"', "now written in a table", id="the old address"),
        pytest.param('tsa_root = "x.pem"', "now written in a table", id="the old root"),
        pytest.param("[tsa]", r"table of its own: \[\[tsa\]\]", id="one table"),
        pytest.param("tsa = 3", r"table of its own: \[\[tsa\]\]", id="a number"),
        pytest.param("tsa = [3]", r"table of its own: \[\[tsa\]\]", id="numbers"),
        pytest.param(GOOD.replace("roots =", "root ="), "unknown setting 'root'", id="misspelt"),
        pytest.param(GOOD.replace('"roots.pem"', "[]"), "roots must name", id="no root"),
        pytest.param(GOOD.replace('"roots.pem"', "3"), "roots must be", id="roots a number"),
        pytest.param(GOOD.replace('["c.pem"]', "[3]"), "intermediates must", id="no texts"),
        pytest.param(GOOD.replace('policy = "1.3', '# "1.3'), "policy must be set", id="no policy"),
        pytest.param(GOOD.replace("1.3.6", "1.03.6"), "policy must be the", id="leading zero"),
        pytest.param(GOOD.replace("1.3.6", "3.3.6"), "policy must be the", id="first arc"),
        pytest.param(GOOD.replace('"first"', '"tsa-2"'), "have one name", id="one name"),
        pytest.param(GOOD.replace('"first"', '"The First"'), "name must be", id="name"),
        pytest.param(GOOD.replace("https:", "ftp:"), "'first': url must begin", id="not http"),
        pytest.param(
            GOOD.replace("tsa.example", "[tsa.example"), "'first': url must begin", id="no address"
        ),
        pytest.param(
            GOOD.replace("user:secret@tsa.example", ""), "'first': url must begin", id="no host"
        ),
        pytest.param(
            "[[tsa]]\nroots = 'a'\npolicy = '1.2'\n" * (MAX_AUTHORITIES + 1), "at most", id="many"
        ),
        pytest.param("drand = 3", r"must be a table: \[drand\]", id="drand a number"),
        pytest.param("[[drand]]", r"must be a table: \[drand\]", id="drand tables"),
        pytest.param("[drand]", "must set urls", id="nothing set"),
        pytest.param(DRAND.replace("period = 3", ""), "must set period", id="no period"),
        pytest.param(DRAND + "rounds = 3", "unknown setting 'rounds'", id="drand misspelt"),
        pytest.param(DRAND.replace("0a", "0A", 1), "chain must be 64", id="upper case"),
        pytest.param(DRAND.replace("0b", "", 1), "key must be 192", id="short key"),
        pytest.param(DRAND.replace("= 3", "= 0"), "period must be", id="no seconds"),
        pytest.param(DRAND.replace("= 3", "= true"), "period must be", id="period a truth"),
        pytest.param(DRAND.replace("= 3", "= 3.0"), "period must be", id="a fraction"),
        pytest.param(DRAND.replace("1692803367", '"1692803367"'), "genesis", id="text"),
        pytest.param(
            DRAND.replace("http:", "ftp:"), "each of urls must begin", id="drand not http"
        ),
        pytest.param(DRAND.replace("other.example", "x/?key=secret"), "urls end", id="a query"),
        pytest.param(
            DRAND.replace('"http://other.example"', '"http://x", ' * MAX_RELAYS),
            "1 to 8 relays",
            id="many relays",
        ),
    ],
)
def test_refuses_with_a_reason_that_quotes_no_address(
    tmp_path: Path, text: str, complaint: str
) -> None:
    with pytest.raises(SettingsError, match=complaint) as refused:
        load(tmp_path, text)
    assert "secret" not in str(refused.value)
