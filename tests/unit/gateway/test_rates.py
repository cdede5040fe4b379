"""Rate limits."""

import pytest

from gateway.api import rates
from gateway.api.problems import Problem
from gateway.api.rates import Limiter, Rate, address_key


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_burst_then_so_many_a_second():
    clock = Clock()
    limiter = Limiter(Rate("caller", per_second=10, burst=20), clock)
    for _ in range(20):
        limiter.take("a")
    with pytest.raises(Problem) as refused:
        limiter.take("a")
    assert refused.value.status == 429
    assert refused.value.headers == {
        "Retry-After": "1",
        "RateLimit-Policy": '"caller";q=20;w=2',
        "RateLimit": '"caller";r=0;t=1',
    }
    limiter.take("b")
    clock.now += 0.1
    limiter.take("a")
    with pytest.raises(Problem):
        limiter.take("a")
    clock.now += 60
    for _ in range(20):
        limiter.take("a")


def test_over_time_exactly_the_rate_passes():
    clock = Clock()
    limiter = Limiter(Rate("x", per_second=10, burst=1), clock)
    passed = 0
    for _ in range(1000):
        clock.now += 0.01
        try:
            limiter.take("a")
            passed += 1
        except Problem:
            pass
    assert 99 <= passed <= 101


def test_memory_is_bounded():
    limiter = Limiter(Rate("x", per_second=10, burst=1))
    for number in range(rates.MOST_KEYS + 100):
        limiter.take(str(number))
    assert len(limiter._paid_at) == rates.MOST_KEYS


@pytest.mark.parametrize(
    ("address", "key"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("unix", "unix"),
    ],
)
def test_an_address_is_what_one_customer_has(address, key):
    assert address_key(address) == key
