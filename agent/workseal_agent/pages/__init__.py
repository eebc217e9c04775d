"""The local pages: the freelancer's own view of the day, the pictures and what left, on loopback.

Rules: a process of its own, which ends with its command; the recording process neither imports nor
knows it. Every request passes `guard` first. Nothing here computes what a service below computes
already, and no page is kept by the browser.
"""

from workseal_agent.pages.desk import Desk
from workseal_agent.pages.server import PagesServer

__all__ = ["Desk", "PagesServer"]
