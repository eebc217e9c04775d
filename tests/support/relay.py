"""A caching nginx in front of a server: it keeps whatever it is not told to leave alone."""

import shutil
import socket
import subprocess
import time
from pathlib import Path
from typing import Self

_CONFIGURATION = """\
daemon off;
# Also as root: no worker of another user, who could not read the folder.
master_process off;
pid {folder}/pid;
error_log {folder}/error.log;
events {{}}
http {{
  access_log off;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  proxy_cache_path {folder}/cache keys_zone=all:1m;
  server {{
    listen 127.0.0.1:{port};
    location / {{
      proxy_pass {url};
      proxy_cache all;
      # The greediest that an operator could write.
      proxy_cache_valid any 1h;
      add_header x-cache $upstream_cache_status always;
    }}
  }}
}}
"""


def has_nginx() -> bool:
    return shutil.which("nginx", path="/usr/sbin:/usr/bin") is not None


class CachingRelay:
    """Run nginx in a folder, on a free loopback port, until the block ends."""

    def __init__(self, folder: Path, url: str) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self._port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self._port}"
        folder.mkdir()
        text = _CONFIGURATION.format(folder=folder, port=self._port, url=url)
        (folder / "nginx.conf").write_text(text)
        self._command = ["nginx", "-p", str(folder), "-c", "nginx.conf", "-e", "error.log"]
        self._folder = folder

    def __enter__(self) -> Self:
        program = shutil.which("nginx", path="/usr/sbin:/usr/bin") or "nginx"
        self._process = subprocess.Popen([program, *self._command[1:]])
        deadline = time.monotonic() + 20
        while True:
            try:
                socket.create_connection(("127.0.0.1", self._port)).close()
            except OSError:
                if self._process.poll() is not None or time.monotonic() > deadline:
                    raise
                time.sleep(0.02)
            else:
                return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(20)
