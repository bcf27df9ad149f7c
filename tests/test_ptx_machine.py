"""The machine that runs PTX on a CPU: instructions give what NVIDIA's manual of PTX says, and wrong addresses are found."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from ptx_machine import Machine

FLOATS = np.array([0.0, -0.0, 1.5, -1.5, 2.0**53 + 2, 1e300, -1e300, 5e-324, np.inf, -np.inf, np.nan, 0.1, -7.0, 3.0])
WHOLES = np.array([0, 1, -1, 2, -2, 63, 64, 7, -7, 2**31, -(2**31) - 5, 2**53 + 1, 2**63 - 1, -(2**63)])


def program(code, arrays):
    """A kernel whose thread ``%rd0`` has the address of its own place in each array in ``%rd1``, ``%rd2`` and so on."""
    parameters = ", ".join(f".param .u64 a{k}" for k in range(arrays))
    places = "".join(
        f"ld.param.u64 %rd9, [a{k}];\ncvta.to.global.u64 %rd9, %rd9;\nadd.s64 %rd{k + 1}, %rd9, %rd8;\n"
        for k in range(arrays)
    )
    return f""".version 9.0
.target sm_90
.visible .entry kernel({parameters}) // of a test
{{
    .reg .pred %p<9>;
    .reg .b16 %rs<9>;
    .reg .b32 %r<9>;
    .reg .f32 %f<9>;
    .reg .f64 %fd<9>;
    .reg .b64 %rd<20>;

    mov.u32 %r0, %tid.x;
    mov.u32 %r1, %ctaid.x;
    mov.u32 %r2, %ntid.x;
    mul.wide.s32 %rd0, %r1, %r2;
    cvt.u64.u32 %rd8, %r0;
    add.s64 %rd0, %rd0, %rd8;
    shl.b64 %rd8, %rd0, 3;
    {places}
    {code}
    ret;
}}
"""


def run(code, *arrays, count=None):
    given = [array.ctypes.data for array in arrays]
    count = len(arrays[0]) if count is None else count
    Machine(program(code, len(arrays)))(np.random.default_rng(0).permutation(count), 4, given, list(arrays))


def of_floats(instruction, one, other=None, third=None):
    """What an instruction makes of float64 in ``%fd1``, ``%fd2`` and ``%fd3``, from ``%fd0``."""
    result = np.zeros(len(one))
    code = "".join(f"ld.global.f64 %fd{k}, [%rd{k + 1}];\n" for k in (1, 2, 3)) + instruction
    others = [one if array is None else array for array in (other, third)]
    run(f"{code}\nst.global.f64 [%rd1], %fd0;", result, one.copy(), *others)
    return result


def of_wholes(instruction, one, other):
    """What an instruction makes of the whole numbers in ``%rd11`` and ``%rd12``, from ``%rd10``."""
    result = np.zeros(len(one), np.int64)
    code = "ld.global.u64 %rd11, [%rd2];\nld.global.u64 %rd12, [%rd3];\ncvt.u32.u64 %r4, %rd12;\n" + instruction
    run(f"{code}\nst.global.u64 [%rd1], %rd10;", result, one, other)
    return result


@pytest.fixture(scope="module")
def pairs():
    return [part.ravel().copy() for part in np.meshgrid(FLOATS, FLOATS)]


@pytest.fixture(scope="module")
def whole_pairs():
    return [part.ravel().copy() for part in np.meshgrid(WHOLES, WHOLES)]


@pytest.mark.filterwarnings("ignore:.*encountered:RuntimeWarning")
@pytest.mark.parametrize(
    ("instruction", "expected"),
    [
        ("add.f64", np.add),
        ("add.rn.f64", np.add),
        ("sub.f64", np.subtract),
        ("mul.rn.f64", np.multiply),
        ("div.rn.f64", np.divide),
        ("min.f64", np.fmin),
        ("max.f64", np.fmax),
        ("copysign.f64", lambda sign, value: np.copysign(value, sign)),
    ],
)
def test_two_floats(pairs, instruction, expected):
    found = of_floats(f"{instruction} %fd0, %fd1, %fd2;", *pairs)
    np.testing.assert_array_equal(found, expected(*pairs))
    if instruction[:3] not in ("min", "max"):  # which may give either zero
        numbers = ~np.isnan(found)
        np.testing.assert_array_equal(np.signbit(found)[numbers], np.signbit(expected(*pairs))[numbers])


@pytest.mark.filterwarnings("ignore:.*encountered:RuntimeWarning")
def test_a_product_and_a_sum_are_rounded_once_or_twice_as_it_says():
    rng = np.random.default_rng(0)
    one, other, third = rng.normal(size=(3, 4000))
    third = np.where(rng.random(4000) < 0.5, -one * other, third)
    once = of_floats("fma.rn.f64 %fd0, %fd1, %fd2, %fd3;", one, other, third)
    twice = of_floats("mul.rn.f64 %fd0, %fd1, %fd2;\nadd.rn.f64 %fd0, %fd0, %fd3;", one, other, third)
    np.testing.assert_array_equal(twice, one * other + third)
    exact = [float(Fraction(a) * Fraction(b) + Fraction(c)) for a, b, c in zip(one, other, third, strict=True)]
    np.testing.assert_array_equal(once, exact)
    loose = of_floats("mul.f64 %fd0, %fd1, %fd2;\nadd.f64 %fd0, %fd0, %fd3;", one, other, third)
    np.testing.assert_array_equal(loose, exact)  # the assembler may make them one
    assert (once != twice).mean() > 0.3


@pytest.mark.filterwarnings("ignore:.*encountered:RuntimeWarning")
def test_one_float():
    np.testing.assert_array_equal(of_floats("sqrt.rn.f64 %fd0, %fd1;", FLOATS), np.sqrt(FLOATS))
    np.testing.assert_array_equal(of_floats("abs.f64 %fd0, %fd1;", FLOATS), np.abs(FLOATS))
    np.testing.assert_array_equal(of_floats("neg.f64 %fd0, %fd1;", FLOATS), -FLOATS)
    np.testing.assert_array_equal(of_floats("cvt.rmi.f64.f64 %fd0, %fd1;", FLOATS), np.floor(FLOATS))
    high = of_floats("{\n.reg .b32 %temp;\nmov.b64 {%temp, %r4}, %fd1;\n}\nmov.b64 %fd0, {%r4, %r4};", FLOATS)
    top = FLOATS.view(np.uint64) >> 32
    np.testing.assert_array_equal(high.view(np.uint64), top | top << 32)
    roots = of_floats("rsqrt.approx.ftz.f64 %fd0, %fd1;", np.array([4.0, 3.0, 0.0]))
    np.testing.assert_allclose(roots, [0.5, 3**-0.5, np.inf], rtol=2**-19)
    assert roots[1] != 3**-0.5  # rough


def test_whole_parts_and_back():
    floats = np.append(FLOATS, [2.0**63, -(2.0**63), -(2.0**63) - 2048, 2.0**63 - 1024, 0.999, -0.999])
    found = of_floats("cvt.rzi.s64.f64 %rd10, %fd1;\nmov.b64 %fd0, %rd10;", floats).view(np.int64)
    expected = [
        -(2**63) if math.isnan(value) else int(max(-(2.0**63), min(value, 2.0**63))) for value in floats.tolist()
    ]
    np.testing.assert_array_equal(found, np.minimum(np.array(expected, object), 2**63 - 1).astype(np.int64))
    back = of_wholes("cvt.rn.f64.s64 %fd1, %rd11;\nmov.b64 %rd10, %fd1;", WHOLES, WHOLES)
    np.testing.assert_array_equal(back.view(float), WHOLES.astype(float))


@pytest.mark.parametrize("test", ["eq", "ne", "lt", "le", "gt", "ge"])
def test_comparisons(pairs, whole_pairs, test):
    compare = {
        "eq": "equal",
        "ne": "not_equal",
        "lt": "less",
        "le": "less_equal",
        "gt": "greater",
        "ge": "greater_equal",
    }
    expected = getattr(np, compare[test])
    one, other = whole_pairs
    for sign, kind in (("s", np.int64), ("u", np.uint64)):
        code = f"setp.{test}.{sign}64 %p1, %rd11, %rd12;\nselp.u64 %rd10, 7, 0, %p1;"
        np.testing.assert_array_equal(of_wholes(code, one, other), 7 * expected(one.view(kind), other.view(kind)))
    nan = np.isnan(pairs).any(0)
    for unordered in ("", "u"):
        code = (
            f"setp.{test}{unordered}.f64 %p1, %fd1, %fd2;\nselp.f64 %fd0, 0d3FF0000000000000, 0d0000000000000000, %p1;"
        )
        np.testing.assert_array_equal(of_floats(code, *pairs), np.where(nan, bool(unordered), expected(*pairs)))


@pytest.mark.parametrize(
    ("instruction", "expected"),
    [
        ("add.s64", np.add),
        ("sub.s64", np.subtract),
        ("mul.lo.s64", np.multiply),
        ("and.b64", np.bitwise_and),
        ("or.b64", np.bitwise_or),
        ("xor.b64", np.bitwise_xor),
        ("min.s64", np.minimum),
        ("max.s64", np.maximum),
        ("min.u64", lambda a, b: np.minimum(a.view(np.uint64), b.view(np.uint64)).view(np.int64)),
        ("max.u64", lambda a, b: np.maximum(a.view(np.uint64), b.view(np.uint64)).view(np.int64)),
    ],
)
@pytest.mark.filterwarnings("ignore:overflow:RuntimeWarning")
def test_two_whole_numbers(whole_pairs, instruction, expected):
    found = of_wholes(f"{instruction} %rd10, %rd11, %rd12;", *whole_pairs)
    np.testing.assert_array_equal(found, expected(*whole_pairs))


def test_quotients_go_towards_zero(whole_pairs):
    one, other = (part[(whole_pairs[1] != 0) & (whole_pairs[0] != -(2**63))] for part in whole_pairs)
    pairs = list(zip(one.tolist(), other.tolist(), strict=True))
    quotient = [abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1) for a, b in pairs]
    np.testing.assert_array_equal(of_wholes("div.s64 %rd10, %rd11, %rd12;", one, other), quotient)
    rest = [a - b * q for (a, b), q in zip(pairs, quotient, strict=True)]
    np.testing.assert_array_equal(of_wholes("rem.s64 %rd10, %rd11, %rd12;", one, other), rest)


def test_shifts_by_any_number_of_bits(whole_pairs):
    one, other = whole_pairs
    by = (other & 0xFFFFFFFF).tolist()
    given = list(zip(one.tolist(), by, strict=True))
    left = np.array([(a << b) % 2**64 if b < 64 else 0 for a, b in given], np.uint64).view(np.int64)
    np.testing.assert_array_equal(of_wholes("shl.b64 %rd10, %rd11, %r4;", one, other), left)
    right = [a >> min(b, 63) for a, b in given]
    np.testing.assert_array_equal(of_wholes("shr.s64 %rd10, %rd11, %r4;", one, other), right)
    plain = np.array([a % 2**64 >> b if b < 64 else 0 for a, b in given], np.uint64).view(np.int64)
    np.testing.assert_array_equal(of_wholes("shr.u64 %rd10, %rd11, %r4;", one, other), plain)


def test_narrow_numbers_keep_their_sign_where_they_have_one():
    given = np.array([[-1, 5, -300, 2**40 + 7]]).T.copy()
    for bits in (8, 16, 32):
        for sign, kind in (("s", f"int{bits}"), ("u", f"uint{bits}")):
            if (sign, bits) == ("u", 8):
                continue
            found = of_wholes(f"ld.global.{sign}{bits} %rd10, [%rd2];", given[:, 0].copy(), given[:, 0].copy())
            np.testing.assert_array_equal(found, given[:, 0].astype(kind).astype(np.int64), err_msg=kind)
    found = of_wholes("cvt.u32.u64 %r5, %rd11;\ncvt.s64.s32 %rd10, %r5;", given[:, 0].copy(), given[:, 0].copy())
    np.testing.assert_array_equal(found, given[:, 0].astype(np.int32))


def test_branches_and_loops():
    steps, start = np.zeros(9, np.int64), np.arange(1, 10)
    code = """ld.global.u64 %rd11, [%rd2];
    mov.u64 %rd12, 0;
$loop:
    setp.eq.s64 %p1, %rd11, 1;
    @%p1 bra $done;
    and.b64 %rd13, %rd11, 1;
    setp.eq.s64 %p2, %rd13, 0;
    add.s64 %rd12, %rd12, 1;
    @!%p2 bra $odd;
    shr.s64 %rd11, %rd11, 1;
    bra.uni $loop;
$odd:
    mul.lo.s64 %rd11, %rd11, 3;
    add.s64 %rd11, %rd11, 1;
    bra $loop;
$done:
    st.global.u64 [%rd1], %rd12;"""
    run(code, steps, start)
    assert steps.tolist() == [0, 1, 7, 2, 5, 8, 16, 3, 19]  # of Collatz's sequence


def test_threads_lose_nothing_that_they_add_or_exchange():
    n = 200_000
    total, least, seen = np.zeros(1, np.int64), np.full(1, 10**9), np.zeros(1, np.int64)
    code = """ld.param.u64 %rd4, [a0];
    ld.param.u64 %rd5, [a1];
    ld.param.u64 %rd6, [a2];
    atom.global.add.u64 %rd10, [%rd4], %rd0;
    atom.global.min.s64 %rd10, [%rd5], %rd0;
$again:
    ld.global.u64 %rd11, [%rd6];
    add.s64 %rd12, %rd11, 1;
    atom.global.cas.b64 %rd10, [%rd6], %rd11, %rd12;
    setp.ne.s64 %p1, %rd10, %rd11;
    @%p1 bra $again;"""
    run(code, total, least, seen, count=n)
    assert (total[0], least[0], seen[0]) == (n * (n - 1) // 2, 0, n)


@pytest.mark.parametrize("place", ["%rd1+80", "%rd1+-88", "%rd1+76"])
@pytest.mark.parametrize("instruction", ["ld.global.u64 %rd10, [{}];", "st.global.u64 [{}], %rd0;"])
def test_what_lies_beyond_the_arrays_is_not_touched(instruction, place):
    whole = np.arange(30)
    array = whole[10:20]
    with pytest.raises(MemoryError, match="in none of"):
        run(instruction.format(place), array)
    assert whole.tolist() == list(range(30))


def test_read_only_arrays_are_not_written_to():
    array = np.arange(5)
    array.flags.writeable = False
    run("ld.global.u64 %rd10, [%rd1];", array)
    with pytest.raises(MemoryError, match="in none of"):
        run("st.global.u64 [%rd1], %rd0;", array)
    assert array.tolist() == list(range(5))


def test_what_is_not_known_is_an_error():
    with pytest.raises(LookupError, match=r"sin\.approx\.f32"):
        Machine(program("sin.approx.f32 %f1, %f1;", 1))
