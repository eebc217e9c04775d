"""An icon in the desktop's tray: what is recorded, at a glance, and a menu for the rest.

Rules: it is a small process of its own that asks the recording process as every command does; the
recording knows nothing of it, and a tray that ends or fails changes no minute. It is there for who
asks for it: `workseal-agent tray`. Whatever is on the session's bus can read what an icon shows: it
holds no memo, no title, no address and nothing of a client. A state is told by a shape, never by a
colour alone.
"""
