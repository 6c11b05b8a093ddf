"""Points of secp256k1, as far as public keys are derived: a key plus a public number of times the generator.

There is no private key anywhere: every number that is multiplied here follows from public data, so nothing has to be constant
in time. Multiples of the generator are summed from a table of windows, and a whole range of children shares one inversion; that
gives some 2,000 children a second in plain Python. `cryptography` multiplies on this curve only by making a private key, and
cannot add points. Source: SEC 1 and SEC 2 version 2, section 2.4.1; the addition formulas of Jacobian coordinates with z = 1.
"""

from collections.abc import Sequence
from functools import cache

Point = tuple[int, int]
"""An affine point (x, y); infinity never appears."""

FIELD = 2**256 - 2**32 - 977
ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
GENERATOR: Point = (
    0x79BE667EF9DCBBAC55A06295CE870B07029BFCDB2DCE28D959F2815B16F81798,
    0x483ADA7726A3C4655DA4FBFC0E1108A8FD17B448A68554199C47D08FFB10D4B8,
)
_WINDOW_BITS = 4
_WINDOWS = 256 // _WINDOW_BITS
_Jacobian = tuple[int, int, int]


def point_of(compressed: bytes) -> Point:
    """The point of a compressed public key. Raises: ValueError when it is not on the curve."""
    if len(compressed) != 33 or compressed[0] not in (2, 3):
        raise ValueError("a public key has 33 bytes and begins with 02 or 03")
    x = int.from_bytes(compressed[1:], "big")
    square = (pow(x, 3, FIELD) + 7) % FIELD
    y = pow(square, (FIELD + 1) // 4, FIELD)
    if x >= FIELD or y * y % FIELD != square:
        raise ValueError("the public key is no point of the curve")
    return x, y if y & 1 == compressed[0] & 1 else FIELD - y


def compressed(point: Point) -> bytes:
    """The 33 bytes of a public key."""
    return bytes([2 + (point[1] & 1)]) + point[0].to_bytes(32, "big")


def moved(point: Point, numbers: Sequence[int]) -> list[Point]:
    """The point plus each number of times the generator. Raises: ValueError for a sum that is no public key (one in 2^127)."""
    sums = [_plus_generator(point, number) for number in numbers]
    if any(z == 0 for _, _, z in sums):
        raise ValueError("the sum is no public key")
    return _affine(sums)


def _plus_generator(point: Point, number: int) -> _Jacobian:
    if not 0 <= number < ORDER:
        raise ValueError("the number is not below the order of the curve")
    found: _Jacobian = (point[0], point[1], 1)
    for window in _table():
        digit = number & (1 << _WINDOW_BITS) - 1
        if digit:
            found = _added(found, window[digit - 1])
        number >>= _WINDOW_BITS
    return found


@cache
def _table() -> list[list[Point]]:
    """For each window of bits the multiples 1 to 15 of the generator at its place."""
    flat: list[_Jacobian] = []
    base = GENERATOR
    for _ in range(_WINDOWS):
        multiple: _Jacobian = (base[0], base[1], 1)
        for _ in range((1 << _WINDOW_BITS) - 1):
            flat.append(multiple)
            multiple = _added(multiple, base)
        base = _affine([multiple])[0]
    points, size = _affine(flat), (1 << _WINDOW_BITS) - 1
    return [points[start : start + size] for start in range(0, len(points), size)]


def _added(left: _Jacobian, right: Point) -> _Jacobian:
    """The sum; z is 0 for infinity."""
    x1, y1, z1 = left
    if z1 == 0:
        return right[0], right[1], 1
    z_square = z1 * z1 % FIELD
    h = (right[0] * z_square - x1) % FIELD
    r = (right[1] * z_square * z1 - y1) % FIELD
    if h == 0:
        return _doubled(left) if r == 0 else (1, 1, 0)
    h_square = h * h % FIELD
    h_cube = h_square * h % FIELD
    v = x1 * h_square % FIELD
    x3 = (r * r - h_cube - 2 * v) % FIELD
    return x3, (r * (v - x3) - y1 * h_cube) % FIELD, z1 * h % FIELD


def _doubled(point: _Jacobian) -> _Jacobian:
    x, y, z = point
    y_square = y * y % FIELD
    s = 4 * x * y_square % FIELD
    m = 3 * x * x % FIELD
    x3 = (m * m - 2 * s) % FIELD
    return x3, (m * (s - x3) - 8 * y_square * y_square) % FIELD, 2 * y * z % FIELD


def _affine(points: Sequence[_Jacobian]) -> list[Point]:
    """All points with z = 1, for the price of one inversion."""
    products = [1]
    for _, _, z in points:
        products.append(products[-1] * z % FIELD)
    inverse = pow(products[-1], -1, FIELD)
    found: list[Point] = []
    for n in range(len(points) - 1, -1, -1):
        x, y, z = points[n]
        own = inverse * products[n] % FIELD
        inverse = inverse * z % FIELD
        square = own * own % FIELD
        found.append((x * square % FIELD, y * square * own % FIELD))
    return found[::-1]
