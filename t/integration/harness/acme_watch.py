# SPDX-License-Identifier: Apache-2.0
"""What an ACME client says to a FaultyCa, kept; and one request held, so that a test can look, or
kill, at exactly that moment."""
import base64
import contextlib
import json
import threading
import time

from .acme_ca import resource_of
from .wait import PATIENCE


def decoded(text):
    """JSON in base64url, as in a JWS; None for nothing."""
    data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    return json.loads(data) if data else None


def payload(exchange):
    """Of the request's JWS (RFC 8555 6.2): None for POST-as-GET and for what is no JWS."""
    with contextlib.suppress(ValueError, KeyError, TypeError):
        return decoded(json.loads(exchange.body)["payload"])
    return None


def protected(exchange):
    """The protected header; None for what is no JWS."""
    with contextlib.suppress(ValueError, KeyError, TypeError):
        return decoded(json.loads(exchange.body)["protected"])
    return None


class Watch:
    """Keeps what goes by for one resource, and changes nothing.

    orders = Watch(proxy, "newOrder")
    orders.sent          payloads, in order
    orders.headers       protected headers
    orders.answers       the CA's JSON, or its text where it is none
    orders.taken()       payloads that the CA made an order of
    orders.times         of the requests, by the monotonic clock"""

    def __init__(self, proxy, resource):
        self.sent, self.headers, self.answers, self.times = [], [], [], []
        proxy.fail(resource, self._pass)

    def _pass(self, exchange):
        self.times.append(time.monotonic())
        self.sent.append(payload(exchange))
        self.headers.append(protected(exchange))
        answer = exchange.forward()
        try:
            self.answers.append(json.loads(answer.body))
        except ValueError:
            self.answers.append(answer.body.decode("latin-1"))
        exchange.send(answer)

    def taken(self):
        return [sent for sent, answer in zip(self.sent, self.answers) if "finalize" in answer]


class Gate:
    """Holds one request, before the CA hears of it or after it has done it, until open(), or
    until drop(): then it goes no further.

    with Gate(proxy, "finalize", after_ca=True) as gate:
        gate.wait()          # it is there
        …                    # kill, look
    """

    def __init__(self, proxy, resource="*", number=1, after_ca=False):
        self.after_ca = after_ca
        self.number = number
        self.resource = None  # of the request that is held
        self._dropped = False
        self._reached, self._opened = threading.Event(), threading.Event()
        proxy.fail(resource, self._hold, times=1, after=number - 1)

    def _hold(self, exchange):
        self.resource = resource_of(exchange.path)
        answer = None
        if self.after_ca:
            answer = exchange.forward()
        self._reached.set()
        self._opened.wait(60 * PATIENCE)
        if self._dropped:
            exchange.drop()
        else:
            exchange.send(answer or exchange.forward())

    def wait(self, seconds=30):
        assert self._reached.wait(seconds * PATIENCE), "no such request came"

    def reached(self, seconds=0.0):
        return self._reached.wait(seconds)

    def open(self):
        self._opened.set()

    def drop(self):
        self._dropped = True
        self._opened.set()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.open()
