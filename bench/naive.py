"""The obvious server to compare with: one signed entry a request, one transaction each.

FastAPI, pydantic, SQLAlchemy's ORM, and pymerkle's tree in memory. It checks the signature and the
link, stores the entry, and answers with a signed receipt that has the entry's audit path. Its
endpoint is a plain function, which FastAPI runs in threads, or a coroutine. Run by `ingest.py`; not
for use.
"""

import asyncio
import hashlib
import json
import os
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

import uvicorn
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from fastapi import Depends, FastAPI, HTTPException
from pydantic import BaseModel
from pymerkle import InmemoryTree
from sqlalchemy import (
    ForeignKey,
    LargeBinary,
    String,
    UniqueConstraint,
    create_engine,
    event,
    select,
)
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, sessionmaker


class Base(DeclarativeBase):
    """Hold the tables."""


class Device(Base):
    """A key that may send."""

    __tablename__ = "device"
    name: Mapped[str] = mapped_column(String(32), primary_key=True)
    key: Mapped[bytes] = mapped_column(LargeBinary)


class Entry(Base):
    """One signed entry."""

    __tablename__ = "entry"
    number: Mapped[int] = mapped_column(primary_key=True)
    device: Mapped[str] = mapped_column(ForeignKey("device.name"), index=True)
    seq: Mapped[int]
    ts: Mapped[float]
    prev: Mapped[str]
    commitment: Mapped[str]
    digest: Mapped[str]
    signature: Mapped[str]
    leaf: Mapped[int]
    __table_args__ = (UniqueConstraint("device", "seq"),)


class Sent(BaseModel):
    """What a sender posts."""

    device: str
    seq: int
    ts: float
    prev: str
    commitment: str
    signature: str

    def signed(self) -> bytes:
        """Return the bytes that the signature is over."""
        fields = self.model_dump(exclude={"signature"})
        return json.dumps(fields, sort_keys=True, separators=(",", ":")).encode()


class Receipt(BaseModel):
    """What comes back."""

    leaf: int
    root: str
    path: list[str]
    ts: float
    signature: str


class Log:
    """The tree, and the key that signs receipts."""

    def __init__(self) -> None:
        self.tree = InmemoryTree()
        self._key = Ed25519PrivateKey.generate()

    def receipt(self, leaf: int) -> Receipt:
        """Prove a leaf, and sign that."""
        path = [
            node if isinstance(node, str) else node.hex()
            for node in self.tree.prove_inclusion(leaf).path
        ]
        body = {"leaf": leaf, "root": self.tree.get_root().hex(), "path": path, "ts": time.time()}
        signature = self._key.sign(json.dumps(body, sort_keys=True).encode()).hex()
        return Receipt(signature=signature, **body)


def checked(device: Device | None, sent: Sent) -> bytes:
    """Return the signed bytes if the device's key signed them."""
    if device is None:
        raise HTTPException(404)
    data = sent.signed()
    try:
        key = Ed25519PublicKey.from_public_bytes(device.key)
        key.verify(bytes.fromhex(sent.signature), data)
    except InvalidSignature:
        raise HTTPException(422) from None
    return data


def newest(device: str) -> Any:
    """Ask for a device's last entry."""
    return select(Entry).where(Entry.device == device).order_by(Entry.seq.desc()).limit(1)


def linked(last: Entry | None, sent: Sent, data: bytes, log: Log) -> Entry:
    """Make the next entry, its leaf in the tree."""
    if last is not None and (last.digest != sent.prev or sent.seq != last.seq + 1):
        raise HTTPException(409)
    leaf = log.tree.append_entry(data)
    digest = hashlib.sha256(data).hexdigest()
    return Entry(digest=digest, leaf=leaf, **sent.model_dump())


def durable(connection: Any, _: object) -> None:
    """Keep every commit on the disk."""
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.close()


def plain_app(path: str, devices: list[Device]) -> FastAPI:
    """Make the server whose endpoint is a plain function."""
    engine = create_engine(f"sqlite:///{path}", connect_args={"timeout": 30})
    event.listen(engine, "connect", durable)
    sessions = sessionmaker(engine)
    Base.metadata.create_all(engine)
    with sessions() as session:
        session.add_all(devices)
        session.commit()
    lock, log, app = threading.Lock(), Log(), FastAPI()

    def opened() -> Iterator[Session]:
        with sessions() as session:
            yield session

    @app.post("/entries")
    def post(sent: Sent, session: Annotated[Session, Depends(opened)]) -> Receipt:
        data = checked(session.get(Device, sent.device), sent)
        with lock:
            last = session.scalars(newest(sent.device)).first()
            entry = linked(last, sent, data, log)
            leaf = entry.leaf  # a commit would make the session read it again
            session.add(entry)
            session.commit()
            return log.receipt(leaf)

    return app


def async_app(path: str, devices: list[Device]) -> FastAPI:
    """Make the server whose endpoint is a coroutine."""
    engine = create_async_engine(f"sqlite+aiosqlite:///{path}")
    event.listen(engine.sync_engine, "connect", durable)
    sessions = async_sessionmaker(engine, expire_on_commit=False)
    lock, log = asyncio.Lock(), Log()

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        async with engine.begin() as connection:
            await connection.run_sync(Base.metadata.create_all)
        async with sessions() as session:
            session.add_all(devices)
            await session.commit()
        yield

    app = FastAPI(lifespan=lifespan)

    async def opened() -> AsyncIterator[AsyncSession]:
        async with sessions() as session:
            yield session

    @app.post("/entries")
    async def post(sent: Sent, session: Annotated[AsyncSession, Depends(opened)]) -> Receipt:
        data = checked(await session.get(Device, sent.device), sent)
        async with lock:
            last = (await session.scalars(newest(sent.device))).first()
            entry = linked(last, sent, data, log)
            session.add(entry)
            await session.commit()
            return log.receipt(entry.leaf)

    return app


def main() -> None:
    keys = json.loads(os.environ["BENCH_DEVICES"])
    devices = [Device(name=name, key=bytes.fromhex(key)) for name, key in keys.items()]
    make = async_app if os.environ["BENCH_KIND"] == "async" else plain_app
    app = make(os.environ["BENCH_DB"], devices)
    # uvicorn takes uvloop and httptools where they are installed.
    uvicorn.run(app, port=int(os.environ["BENCH_PORT"]), log_level="error")


if __name__ == "__main__":
    main()
