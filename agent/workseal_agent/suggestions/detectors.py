"""Secrets that the rules of detect-secrets know by their form, in a line that was read.

Rules: only its rules of form run, called one by one. Its rules of entropy flag most lines of a
screen, and its scanner may ask a service over the network whether a secret is still good.
"""

import importlib
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


class KnownSecrets:
    """Find what the rules of detect-secrets match; loads them, so not for a recording process."""

    def __init__(self) -> None:
        self._rules = tuple((_load(name), kind) for name, kind in _PLUGINS.items())

    def __call__(self, text: str) -> Iterator[Finding]:
        """Yield where a rule matches."""
        text = text[:MAX_TEXT]
        for rule, kind in self._rules:
            for secret in rule.analyze_string(text):
                start = text.find(secret) if secret else -1
                if start >= 0:
                    yield Finding(kind, Why.KNOWN_RULE, Sureness.LIKELY, start, start + len(secret))


def _load(name: str) -> Any:
    module, _, rule = name.partition(".")
    return getattr(importlib.import_module(f"detect_secrets.plugins.{module}"), rule)()
