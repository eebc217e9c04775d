"""Tables of the log and of its doors: commitments and public keys, never content.

Rules:
- Each column says its privacy class in `info`, each blob and text also its bound, and the database
  itself enforces type (STRICT tables in SQLite) and bound. `migrations/` makes the same tables; a
  test compares. No column can hold an image: the widest holds one
  statement, whose every field is a digest, a number or a short text.
- Nothing here is secret but the addresses of class `contact`: the keys and the beacon's secrets are
  files of their own, and of a token that lets somebody in only the hash is stored.
"""

from sqlalchemy import Index, MetaData, PrimaryKeyConstraint, Table

from workseal_verifier.store.columns import PARTIAL, Privacy, among, octets, whole, word

STATEMENT_BYTES = 65_536
STATE_BYTES = 1_024  # the longest state of a chain has some 300
TILE_BYTES = 8_192
CHECKPOINT_BYTES = 16_384
TOKEN_BYTES = 16_384
PUBLIC_KEY_BYTES = 1_952  # ML-DSA-65, the longest that a statement's issuer may have
CREDENTIAL_BYTES = 1_023  # the longest that WebAuthn allows
PASSKEY_BYTES = 1_024  # a COSE key; RSA-4096, the longest in use, has 530
MAIL_LETTERS = 254  # the longest address that RFC 5321 can carry
URL_LETTERS = 500
# To be said in the same words by whoever asks by kind, so that the index is known to have it all.
BESIDE_SEGMENTS = "kind <> 'segment'"


metadata = MetaData()

# One row: the size and root that the next append must start from (compare-and-swap).
head = Table(
    "head",
    metadata,
    whole("one", Privacy.PUBLIC, primary_key=True, autoincrement=False),
    whole("size", Privacy.PUBLIC),
    octets("root", Privacy.PUBLIC, most=32, least=32),
    sqlite_strict=True,
)

statements = Table(
    "statements",
    metadata,
    whole("position", Privacy.PUBLIC, primary_key=True, autoincrement=False),
    octets("digest", Privacy.COMMITMENT, most=32, least=32, unique=True),
    octets("body", Privacy.ENGAGEMENT, most=STATEMENT_BYTES, least=1),
    word("kind", Privacy.PSEUDONYM, most=32),
    octets("engagement", Privacy.PSEUDONYM, most=16, least=16, nullable=True),
    # What it is about: a request's digest, a frame's commitment, a key's thumbprint.
    octets("about", Privacy.COMMITMENT, most=32, least=32, nullable=True),
    # Work only: whose, and from when to when; what the rule against double work asks.
    octets("worker", Privacy.PSEUDONYM, most=32, least=32, nullable=True),
    whole("begin_ms", Privacy.TIME, nullable=True),
    whole("end_ms", Privacy.TIME, nullable=True),
    # Of a statement of a chain, its number there: no database takes two of one.
    whole("seq", Privacy.ENGAGEMENT, nullable=True),
    among("statements_seq", "engagement", "seq", where="seq IS NOT NULL", unique=True),
    Index("statements_engagement", "engagement", "position"),
    # Nearly every statement is a segment, which none of these two is asked for.
    among("statements_kind", "kind", "position", where=BESIDE_SEGMENTS),
    among("statements_about", "about", where="about IS NOT NULL"),
    Index("statements_worker", "worker", "end_ms"),
    sqlite_strict=True,
)

# Whom the terms name: decides whose statements are looked at at all, and which agreements of a key
# come first. All of it follows from offers, acceptances and the steps of cases.
parties = Table(
    "parties",
    metadata,
    octets("thumbprint", Privacy.PSEUDONYM, most=32, least=32),
    octets("engagement", Privacy.PSEUDONYM, most=16, least=16),
    whole("role", Privacy.PSEUDONYM),
    octets("key", Privacy.PSEUDONYM, most=PUBLIC_KEY_BYTES, least=32),
    # How the key is tied to the agreement (`logrows.Tie`), and by which statement: the acceptance,
    # the offer before there is one.
    whole("tie", Privacy.PSEUDONYM),
    whole("place", Privacy.PUBLIC),
    # The newest step of any of its cases.
    whole("moved", Privacy.PSEUDONYM, nullable=True),
    PrimaryKeyConstraint("thumbprint", "engagement", "role"),
    Index("parties_engagement", "engagement"),
    Index("parties_tie", "thumbprint", "tie", "place"),
    among("parties_moved", "thumbprint", "tie", "moved", where="moved IS NOT NULL"),
    sqlite_strict=True,
)

# Of each key.* statement, the key that must count for it, and whom it brings: what a key's history
# is read by. Announcing costs nothing, so nobody holds them all in memory.
key_events = Table(
    "key_events",
    metadata,
    whole("position", Privacy.PUBLIC, primary_key=True, autoincrement=False),
    octets("subject", Privacy.PSEUDONYM, most=32, least=32),
    # The key to which it rotates; the recovery key that an announcement names.
    octets("successor", Privacy.PSEUDONYM, most=32, least=32, nullable=True),
    octets("recovery", Privacy.PSEUDONYM, most=32, least=32, nullable=True),
    Index("key_events_subject", "subject", "position"),
    Index("key_events_successor", "successor", "position"),
    Index("key_events_recovery", "recovery", "position"),
    sqlite_strict=True,
)

# Of each statement of a case, where the case stood after it: a step. The last one is where it
# stands. All of it follows from the statements.
case_steps = Table(
    "case_steps",
    metadata,
    whole("position", Privacy.PUBLIC, primary_key=True, autoincrement=False),
    # The digest of the filing, which names the case.
    octets("filing", Privacy.PSEUDONYM, most=32, least=32),
    octets("engagement", Privacy.PSEUDONYM, most=16, least=16),
    word("state", Privacy.ENGAGEMENT, most=16),
    whole("until_ms", Privacy.TIME, nullable=True),
    Index("case_steps_filing", "filing", "position"),
    Index("case_steps_engagement", "engagement", "position"),
    Index("case_steps_until", "until_ms"),
    sqlite_strict=True,
)

# What some statements of a chain added to what its next one is checked against, and how it stood
# then: so that a process which does not know the chain need not read all of it. Each follows from
# the statements; of those that are written together only the last one says how the chain stood,
# and where its last statement is.
milestones = Table(
    "milestones",
    metadata,
    octets("engagement", Privacy.PSEUDONYM, most=16, least=16),
    whole("reach", Privacy.ENGAGEMENT),
    whole("since", Privacy.ENGAGEMENT),
    octets("past", Privacy.ENGAGEMENT, most=STATEMENT_BYTES, least=1),
    whole("position", Privacy.PUBLIC, nullable=True),
    octets("state", Privacy.ENGAGEMENT, most=STATE_BYTES, least=1, nullable=True),
    PrimaryKeyConstraint("engagement", "reach"),
    sqlite_strict=True,
)

# Hash tiles of c2sp.org/tlog-tiles: up to 256 hashes of one level, the last one of each level
# partial and written anew with each append.
tiles = Table(
    "tiles",
    metadata,
    whole("level", Privacy.PUBLIC),
    whole("number", Privacy.PUBLIC),
    octets("hashes", Privacy.PUBLIC, most=TILE_BYTES, least=32),
    PrimaryKeyConstraint("level", "number"),
    sqlite_strict=True,
)

# A row without `signed` is committed but not yet signed: the next start signs it.
checkpoints = Table(
    "checkpoints",
    metadata,
    whole("size", Privacy.PUBLIC, primary_key=True, autoincrement=False),
    octets("root", Privacy.PUBLIC, most=32, least=32),
    octets("signed", Privacy.PUBLIC, most=CHECKPOINT_BYTES, least=1, nullable=True),
    octets("digest", Privacy.PUBLIC, most=32, least=32, nullable=True),
    whole("signed_at", Privacy.TIME, nullable=True),
    sqlite_strict=True,
)

timestamps = Table(
    "timestamps",
    metadata,
    whole("size", Privacy.PUBLIC, primary_key=True, autoincrement=False),
    octets("token", Privacy.PUBLIC, most=TOKEN_BYTES, least=1),
    whole("upper_ms", Privacy.TIME),
    sqlite_strict=True,
)

# Committed chains of the beacon; the secret last value of each is a file in keys/.
beacons = Table(
    "beacons",
    metadata,
    whole("period_ms", Privacy.PUBLIC),
    whole("first_round", Privacy.PUBLIC),
    whole("count", Privacy.PUBLIC),
    octets("head", Privacy.COMMITMENT, most=32, least=32),
    octets("statement", Privacy.PUBLIC, most=32, least=32),
    whole("position", Privacy.PUBLIC),
    PrimaryKeyConstraint("period_ms", "first_round"),
    sqlite_strict=True,
)

# Second bodies that a chain's own signer signed for a number which the log had given to another.
conflicts = Table(
    "conflicts",
    metadata,
    octets("digest", Privacy.COMMITMENT, most=32, least=32, primary_key=True),
    octets("engagement", Privacy.PSEUDONYM, most=16, least=16),
    whole("seq", Privacy.PSEUDONYM),
    octets("body", Privacy.ENGAGEMENT, most=STATEMENT_BYTES, least=1),
    Index("conflicts_engagement", "engagement", "seq"),
    sqlite_strict=True,
)

# --- doors: who was invited, and the sessions of people in browsers -----------------

invitations = Table(
    "invitations",
    metadata,
    octets("token", Privacy.HASHED, most=32, least=32, primary_key=True),
    whole("role", Privacy.PSEUDONYM),
    whole("uses_left", Privacy.PSEUDONYM),
    whole("until_ms", Privacy.TIME),
    sqlite_strict=True,
)

# Keys that accepted an invitation.
invited = Table(
    "invited",
    metadata,
    octets("thumbprint", Privacy.PSEUDONYM, most=32, least=32),
    whole("role", Privacy.PSEUDONYM),
    octets("key", Privacy.PSEUDONYM, most=PUBLIC_KEY_BYTES, least=32),
    whole("accepted_ms", Privacy.TIME),
    PrimaryKeyConstraint("thumbprint", "role"),
    sqlite_strict=True,
)

# `root` in this and the next: what the session rests on (services.signin.Root).
links = Table(
    "links",
    metadata,
    octets("token", Privacy.HASHED, most=32, least=32, primary_key=True),
    octets("thumbprint", Privacy.PSEUDONYM, most=32, least=32),
    whole("root", Privacy.PSEUDONYM),
    whole("until_ms", Privacy.TIME),
    sqlite_strict=True,
)

sessions = Table(
    "sessions",
    metadata,
    octets("token", Privacy.HASHED, most=32, least=32, primary_key=True),
    octets("thumbprint", Privacy.PSEUDONYM, most=32, least=32),
    whole("root", Privacy.PSEUDONYM),
    whole("until_ms", Privacy.TIME),
    whole("seen_ms", Privacy.TIME),
    # When a passkey was last used for it: sensitive acts ask for a moment ago.
    whole("fresh_ms", Privacy.TIME, nullable=True),
    Index("sessions_thumbprint", "thumbprint"),
    sqlite_strict=True,
)

passkeys = Table(
    "passkeys",
    metadata,
    octets("credential", Privacy.PSEUDONYM, most=CREDENTIAL_BYTES, least=1, primary_key=True),
    octets("thumbprint", Privacy.PSEUDONYM, most=32, least=32),
    octets("public_key", Privacy.PSEUDONYM, most=PASSKEY_BYTES, least=1),
    whole("sign_count", Privacy.PSEUDONYM),
    whole("made_ms", Privacy.TIME),
    Index("passkeys_thumbprint", "thumbprint"),
    sqlite_strict=True,
)

# Challenges that were answered, and nonces of signed requests that changed something, until they
# expire: none is taken twice, by whichever worker.
spent = Table(
    "spent",
    metadata,
    octets("digest", Privacy.HASHED, most=32, least=32, primary_key=True),
    whole("until_ms", Privacy.TIME),
    sqlite_strict=True,
)

# --- notices: who is to be told of which step, and where ----------------------------

# One row for each notice and channel. It holds no words: the case and what is due stand in
# `case_steps`, a timesheet and its answer in `statements`. Without a case, the step is the place of
# such a statement, or the number of the Monday of a weekly digest.
notices = Table(
    "notices",
    metadata,
    # The hash of case, step, kind and recipient: none is made twice.
    octets("name", Privacy.PSEUDONYM, most=32, least=32),
    whole("channel", Privacy.PSEUDONYM),
    word("kind", Privacy.ENGAGEMENT, most=16),
    octets("filing", Privacy.PSEUDONYM, most=32, least=32, nullable=True),
    whole("step", Privacy.PSEUDONYM),
    # The person: the key that stands in the terms.
    octets("recipient", Privacy.PSEUDONYM, most=32, least=32),
    # Whose turn it is, a bit for each role.
    whole("waiting", Privacy.ENGAGEMENT),
    whole("made_ms", Privacy.TIME),
    whole("state", Privacy.PSEUDONYM),
    whole("tries", Privacy.PSEUDONYM),
    # When it is tried next; whoever tries it moves this on first. None: no more.
    whole("next_ms", Privacy.TIME, nullable=True),
    # When it was sent, given up, or opened on the page; when a reminder is to be looked at.
    whole("ended_ms", Privacy.TIME, nullable=True),
    # Until when whoever claimed it has it, unless it is done with it before.
    whole("held_ms", Privacy.TIME, nullable=True),
    PrimaryKeyConstraint("name", "channel"),
    Index("notices_next", "next_ms"),
    Index("notices_recipient", "recipient", "step"),
    Index("notices_filing", "filing", "step"),
    Index("notices_ended", "state", "ended_ms"),
    Index("notices_held", "held_ms"),
    sqlite_strict=True,
)

# What a party gave for itself: deleted when it says so.
contacts = Table(
    "contacts",
    metadata,
    octets("thumbprint", Privacy.PSEUDONYM, most=32, least=32, primary_key=True),
    word("mail", Privacy.CONTACT, most=MAIL_LETTERS, nullable=True),
    word("webhook", Privacy.CONTACT, most=URL_LETTERS, nullable=True),
    # In which the party's days are counted where no case says it.
    word("zone", Privacy.CONTACT, most=64, nullable=True),
    # Whether a weekly digest is asked for.
    whole("digest", Privacy.CONTACT),
    # What the two links are made of that stop mails, and their hashes.
    octets("salt", Privacy.PSEUDONYM, most=16, least=16),
    octets("stop_mail", Privacy.HASHED, most=32, least=32, unique=True),
    octets("stop_digest", Privacy.HASHED, most=32, least=32, unique=True),
    whole("changed_ms", Privacy.TIME),
    # The hash of the link that confirms the address, until when it does, and when it did: without
    # that nothing is sent there but the mail with the link.
    octets("confirm", Privacy.HASHED, most=32, least=32, nullable=True),
    whole("confirm_until_ms", Privacy.TIME, nullable=True),
    whole("confirmed_ms", Privacy.TIME, nullable=True),
    Index("contacts_confirm", "confirm"),
    Index("contacts_unconfirmed", "confirmed_ms", "confirm_until_ms"),
    sqlite_strict=True,
)

# Mails that ask for a confirmation, for a day: so many for a key, and for an address.
confirmations = Table(
    "confirmations",
    metadata,
    # The notice's.
    octets("name", Privacy.PSEUDONYM, most=32, least=32, primary_key=True),
    octets("thumbprint", Privacy.PSEUDONYM, most=32, least=32),
    # The address, under a secret of this server.
    octets("place", Privacy.HASHED, most=32, least=32),
    whole("asked_ms", Privacy.TIME),
    # When it was first handed to a mail server.
    whole("sent_ms", Privacy.TIME, nullable=True),
    Index("confirmations_thumbprint", "thumbprint"),
    Index("confirmations_place", "place"),
    Index("confirmations_asked", "asked_ms"),
    sqlite_strict=True,
)

# From when to when some process of this log was up: between two rows it was down.
presence = Table(
    "presence",
    metadata,
    whole("begin_ms", Privacy.PUBLIC, primary_key=True, autoincrement=False),
    whole("end_ms", Privacy.PUBLIC),
    sqlite_strict=True,
)

# What the operator's key signed by itself to follow a head of a case: one statement, whichever
# process sends it.
own_acts = Table(
    "own_acts",
    metadata,
    octets("filing", Privacy.PSEUDONYM, most=32, least=32),
    octets("head", Privacy.COMMITMENT, most=32, least=32),
    octets("body", Privacy.ENGAGEMENT, most=STATEMENT_BYTES, least=1),
    whole("made_ms", Privacy.TIME),
    PrimaryKeyConstraint("filing", "head"),
    sqlite_strict=True,
)


def tables_for(dialect: str) -> MetaData:
    """Return the tables, with their partial indexes as this database says them.

    An option of PostgreSQL's loads its dialect, which a server with SQLite does without.
    """
    for index, rows in PARTIAL:
        index.dialect_options[dialect]["where"] = rows
    return metadata
