"""What a worker of a local cluster loads first: a terminal's Ctrl-C is for the client, which then ends its workers."""

import signal
import threading

if threading.current_thread() is threading.main_thread():
    signal.signal(signal.SIGINT, signal.SIG_IGN)
