"""Secrets that the rules of detect-secrets know by their form, in a line that was read.

Rules: only its rules of form run, called one by one. Its rules of entropy flag most lines of a
screen, and its scanner may ask a service over the network whether a secret is still good. What some
cost grows with the square of a word's length, so a long line is given to them in pieces.
"""

import importlib
import re
from collections.abc import Iterator
from typing import Any, Final

from workseal_agent.suggestions.finding import MAX_TEXT, Finding
from workseal_agent.suggestions.suggestion import Kind, Sureness, Why

_PLUGINS: Final = {
    "artifactory.ArtifactoryDetector": Kind.TOKEN,
    "aws.AWSKeyDetector": Kind.ACCESS_KEY,
    "azure_storage_key.AzureStorageKeyDetector": Kind.ACCESS_KEY,
    "basic_auth.BasicAuthDetector": Kind.PASSWORD,
    "discord.DiscordBotTokenDetector": Kind.TOKEN,
    "github_token.GitHubTokenDetector": Kind.TOKEN,
    "gitlab_token.GitLabTokenDetector": Kind.TOKEN,
    "jwt.JwtTokenDetector": Kind.TOKEN,
    "keyword.KeywordDetector": Kind.PASSWORD,
    "mailchimp.MailchimpDetector": Kind.ACCESS_KEY,
    "npm.NpmDetector": Kind.TOKEN,
    "openai.OpenAIDetector": Kind.ACCESS_KEY,
    "private_key.PrivateKeyDetector": Kind.PRIVATE_KEY,
    "pypi_token.PypiTokenDetector": Kind.TOKEN,
    "sendgrid.SendGridDetector": Kind.ACCESS_KEY,
    "slack.SlackDetector": Kind.TOKEN,
    "square_oauth.SquareOAuthDetector": Kind.TOKEN,
    "stripe.StripeDetector": Kind.ACCESS_KEY,
    "telegram_token.TelegramBotTokenDetector": Kind.TOKEN,
    "twilio.TwilioKeyDetector": Kind.ACCESS_KEY,
}

# A piece is longer than nearly every row; two share more than its rules need to know a secret.
PIECE: Final = 640
SHARED: Final = 240
# A word that stands in more places of one piece has all between the first and the last marked.
MOST_PLACES: Final = 16


class KnownSecrets:
    """Find what the rules of detect-secrets match; loads them, so not for a recording process."""

    def __init__(self) -> None:
        self._rules = tuple((_load(name), kind) for name, kind in _PLUGINS.items())

    def __call__(self, text: str) -> Iterator[Finding]:
        """Yield where a rule matches."""
        for start, piece in _pieces(text[:MAX_TEXT]):
            for rule, kind in self._rules:
                for secret in dict.fromkeys(rule.analyze_string(piece)):
                    for begin, end in _places(piece, secret):
                        span = start + begin, start + end
                        yield Finding(kind, Why.KNOWN_RULE, Sureness.LIKELY, *span)


def _places(piece: str, secret: str) -> list[tuple[int, int]]:
    """Find every place of a secret: a rule tells what it is, and not where.

    The `min` of `admin:min@` is a word by itself; one that never is, is marked wherever it stands.
    """
    if not secret:
        return []
    word = re.escape(secret)
    alone = re.compile(rf"(?<![A-Za-z0-9]){word}(?![A-Za-z0-9])")
    found = [one.span() for one in alone.finditer(piece)]
    found = found or [one.span() for one in re.finditer(word, piece)]
    return found if len(found) <= MOST_PLACES else [(found[0][0], found[-1][1])]


def _pieces(text: str) -> Iterator[tuple[int, str]]:
    """Yield pieces that overlap, and where each begins."""
    for start in range(0, max(len(text) - SHARED, 1), PIECE - SHARED):
        yield start, text[start : start + PIECE]


def _load(name: str) -> Any:
    module, _, rule = name.partition(".")
    return getattr(importlib.import_module(f"detect_secrets.plugins.{module}"), rule)()
