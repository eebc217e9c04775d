import pytest

from workseal_verifier.services.sites import Site, Sites

ORIGIN = "log.example.com/2026"


@pytest.mark.parametrize(
    ("authority", "site"),
    [
        ("log.example.com", Site("https://log.example.com", "log.example.com")),
        ("LOG.example.com", Site("https://log.example.com", "log.example.com")),
        ("localhost:8080", Site("http://localhost:8080", "localhost")),
        ("127.0.0.1:8080", Site("http://127.0.0.1:8080", "127.0.0.1")),
        ("[::1]:8080", Site("http://[::1]:8080", "[::1]")),
        ("localhost", Site("http://localhost", "localhost")),
        ("log.example.com:8443", None),
        ("log.example.com.", None),
        ("evil.example", None),
        ("localhost.evil.example", None),
        ("localhost:0", None),
        ("127.0.0.1@evil.example", None),
        ("", None),
    ],
)
def test_without_an_address_it_is_its_own_machine_and_the_host_of_its_origin(
    authority: str, site: Site | None
) -> None:
    assert Sites("", ORIGIN).find(authority) == site


@pytest.mark.parametrize("authority", ["localhost:8080", "log.example.com", "shop.example"])
def test_a_configured_address_is_the_only_one(authority: str) -> None:
    sites = Sites("https://shop.example:8443", ORIGIN)
    assert sites.find(authority) is None
    assert sites.find("shop.example:8443") == Site("https://shop.example:8443", "shop.example")


@pytest.mark.parametrize("origin", ["log", "log:2026", "a_b.example/x", "-x.example"])
def test_an_origin_that_begins_with_no_host_is_no_address(origin: str) -> None:
    sites = Sites("", origin)
    assert sites.url == ""
    assert sites.find(origin.partition("/")[0]) is None
    assert sites.find("localhost:1") is not None
