import time
async def test_x(house, venues):
    for v in ("kraken","binance","coinbase"):
        t=time.monotonic()
        a = await house.link(v, "proof")
        await house.work()
        print(v, time.monotonic()-t, (await house.account(a)).status, len(venues.calls()))
        assert await house.facts(a) == venues.truth("proof", v)
        t=time.monotonic()
        await house.sync(a)
        print("again", time.monotonic()-t)
        venues.forget_calls()
    print(house.time.slept_s)
