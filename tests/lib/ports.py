"""ports.py: loopback ports for servers of tests."""
import random
import socket

FIRST = 10000


def ephemeral():
    """The first port that the kernel gives to outgoing connections."""
    try:
        with open('/proc/sys/net/ipv4/ip_local_port_range',
                  encoding='ascii') as f:
            return int(f.read().split()[0])
    except OSError:
        return 32768


def free_port():
    """One that is free, and that no outgoing connection of a test beside us
    is given before the server listens, or while it is started again."""
    end = ephemeral()
    for _ in range(200 if end > FIRST + 2000 else 0):
        port = random.SystemRandom().randrange(FIRST, end)
        with socket.socket() as s:
            try:
                s.bind(('127.0.0.1', port))
            except OSError:
                continue
            return port
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        return s.getsockname()[1]
