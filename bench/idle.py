"""The memory of a server that waits: this verifier beside the obvious one, in turns.

The obvious one is FastAPI with SQLAlchemy's ORM over one table, `cryptography` and `cbor2`, under
uvicorn as the verifier is. Each run begins both anew, the verifier with a new home. Resident is
VmRSS; anonymous is what no other process and no file shares.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import load
import servers

# So long after it answers, what its start still does is done.
_SETTLE_S = 1.5
OBVIOUS = """
import sys
import cbor2, uvicorn
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from fastapi import FastAPI
from pydantic import BaseModel
from sqlalchemy import create_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

class Base(DeclarativeBase): ...
class Entry(Base):
    __tablename__ = "entries"
    id: Mapped[int] = mapped_column(primary_key=True)
    body: Mapped[bytes]
class Told(BaseModel):
    body: str

engine = create_engine("sqlite:///" + sys.argv[1])
key = Ed25519PrivateKey.generate()
app = FastAPI()
Base.metadata.create_all(engine)

@app.post("/entries")
def post(told: Told) -> dict[str, str]:
    with Session(engine) as session:
        session.add(Entry(body=cbor2.dumps(told.body)))
        session.commit()
    return {"signature": key.sign(told.body.encode()).hex()}

uvicorn.run(app, port=int(sys.argv[2]), log_level="error", loop="uvloop", http="httptools")
"""


def memory_mib(process: int) -> tuple[float, float]:
    """Tell the resident and the anonymous memory of a process."""
    time.sleep(_SETTLE_S)
    lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()[1:]
    found = {line.split(":")[0]: int(line.split()[1]) / 1024 for line in lines}
    return found["Rss"], found["Anonymous"]


def obvious(folder: Path) -> tuple[float, float]:
    """Measure the obvious server."""
    port = load.free_port()
    process = subprocess.Popen([sys.executable, "-c", OBVIOUS, folder / "obvious.db", str(port)])
    try:
        load.await_port(port)
        return memory_mib(process.pid)
    finally:
        process.terminate()
        process.wait()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=3)
    for number in range(parser.parse_args().runs):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            theirs = obvious(folder)
            with servers.verifier(folder / "home", servers.VerifierOptions()) as server:
                ours = memory_mib(server.process)
        ratios = [one / other for one, other in zip(ours, theirs, strict=True)]
        print(
            f"run {number + 1}, load {os.getloadavg()[0]:.0f}: resident {ours[0]:.1f} /"
            f" {theirs[0]:.1f} MiB = {ratios[0]:.2f} (goal <= 1.25), anonymous {ours[1]:.1f} /"
            f" {theirs[1]:.1f} = {ratios[1]:.2f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
