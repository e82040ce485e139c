"""``mlx_lm.server`` on loopback with mlx_go for MLX: whole and streamed answers, one by one and at once."""

from __future__ import annotations

import http.client
import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from mlx_lm_runs import environment, programs

pytestmark = programs

STARTS = {"mlx": ["-m", "mlx_lm"], "mlx_go": ["-m", "mlx_go.as_mlx", "-m", "mlx_lm"]}
PROMPTS = ["the small cat sees", "a red bird and the old dog", "the fish likes the large green bird", "but the dog"]


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Server:
    def __init__(self, library: str, model: Path, log: Path) -> None:
        self.port, self.log = free_port(), log
        options = ["server", "--model", str(model), "--port", str(self.port), "--temp", "0"]
        with log.open("w") as file:
            self.process = subprocess.Popen([sys.executable, *STARTS[library], *options], env=environment(),
                                            stdin=subprocess.DEVNULL, stdout=file, stderr=file)  # fmt: skip

    def wait(self) -> None:
        for _ in range(3000):
            assert self.process.poll() is None, self.log.read_text()
            try:
                if self.ask("GET", "/health")[0] == 200:
                    return
            except OSError:
                time.sleep(0.1)
        raise AssertionError(f"the server does not answer: {self.log.read_text()}")

    def ask(self, method: str, path: str, body: Any = None) -> tuple[int, str]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=600)
        connection.request(method, path, json.dumps(body) if body else None, {"Content-Type": "application/json"})
        response = connection.getresponse()
        text = response.read().decode()
        connection.close()
        return response.status, text

    def complete(self, prompt: str, count: int, **options: Any) -> str:
        status, text = self.ask("POST", "/v1/completions", {"prompt": prompt, "max_tokens": count, **options})
        assert status == 200, text
        return text

    def texts(self) -> list[str]:
        """Answers one by one; a text is what the choices hold."""
        return [json.loads(self.complete(p, 12))["choices"][0]["text"] for p in PROMPTS]

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(600)


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Server]]:
    from folders import make_model

    root = tmp_path_factory.mktemp("server")
    make_model(root / "model")
    found = {library: Server(library, root / "model", root / f"{library}.log") for library in STARTS}
    try:
        for server in found.values():
            server.wait()
        yield found
    finally:
        for server in found.values():
            server.stop()


def test_answers_are_the_oracles(servers: dict[str, Server]) -> None:
    assert servers["mlx_go"].texts() == servers["mlx"].texts()


def test_chat(servers: dict[str, Server]) -> None:
    messages = [{"role": "user", "content": PROMPTS[1]}]
    body = {"messages": messages, "max_tokens": 15, "logprobs": True, "top_logprobs": 3}
    answers = [json.loads(s.ask("POST", "/v1/chat/completions", body)[1]) for s in servers.values()]
    assert answers[0]["choices"][0]["message"] == answers[1]["choices"][0]["message"]
    assert answers[0]["usage"] == answers[1]["usage"]


def streamed(text: str) -> str:
    events = [line.removeprefix("data: ") for line in text.splitlines() if line.startswith("data: ")]
    assert events[-1] == "[DONE]"
    return "".join(json.loads(e)["choices"][0].get("text", "") for e in events[:-1] if json.loads(e)["choices"])


def test_streamed_answers(servers: dict[str, Server]) -> None:
    server = servers["mlx_go"]
    whole = json.loads(server.complete(PROMPTS[2], 16))["choices"][0]["text"]
    text = server.complete(PROMPTS[2], 16, stream=True)
    assert text.count("data: ") > 2 and streamed(text) == whole


def test_requests_at_once(servers: dict[str, Server]) -> None:
    server = servers["mlx_go"]
    want, got = server.texts(), [""] * len(PROMPTS)

    def ask(i: int) -> None:
        got[i] = streamed(server.complete(PROMPTS[i], 12, stream=True))

    threads = [threading.Thread(target=ask, args=(i,)) for i in range(len(PROMPTS))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert got == want


def test_a_bad_request_is_refused_and_the_next_one_answered(servers: dict[str, Server]) -> None:
    server = servers["mlx_go"]
    assert server.ask("POST", "/v1/completions", {"prompt": "the", "max_tokens": -3})[0] >= 400
    assert json.loads(server.complete("the", 3))["choices"][0]["finish_reason"] == "length"
