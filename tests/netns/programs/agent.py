"""An agent beside a server: agent.py PORT FILE says what is in the file, and prints what it said."""

import pathlib
import socket
import sys

PORT, WORDS = int(sys.argv[1]), pathlib.Path(sys.argv[2])

listener = socket.create_server(("127.0.0.1", PORT))
print("listening", flush=True)
while True:
    connection, _ = listener.accept()
    words = WORDS.read_text()
    try:
        connection.sendall(words.encode() + b"\n")
        connection.close()
        print(f"said {words}", flush=True)
    except OSError:
        pass
