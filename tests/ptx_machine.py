"""PTX on a CPU: every instruction of a kernel becomes LLVM's of the same meaning, and threads of the CPU run it.

Of PTX there is what the kernels of this package hold; anything else is an error. Numbers are rounded as PTX says: once where a
product and a sum are one instruction, and also where the assembler may make them one, which is where no rounding is named.
Approximate reciprocal roots are rough, as a GPU's are. Each address is looked up among the arrays given before anything is read
or written there.
"""

from __future__ import annotations

import ctypes
import re
import struct
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any

import llvmlite.binding as llvm
import numpy as np
from llvmlite import ir

try:
    from numpy.lib.array_utils import byte_bounds
except ImportError:  # of NumPy 1.26
    from numpy import byte_bounds

llvm.initialize_native_target()
llvm.initialize_native_asmprinter()

BIT, INT, LONG = (ir.IntType(bits) for bits in (1, 32, 64))
SINGLE, DOUBLE, NOTHING = ir.FloatType(), ir.DoubleType(), ir.VoidType()
FAULT, FIRST = 1, 2  # in the table of arrays: where a wrong address is noted, and where the bounds begin
COMPARED = {"eq": "==", "ne": "!=", "lt": "<", "le": "<=", "gt": ">", "ge": ">="}
SPECIAL = {"%tid.x": 2, "%ctaid.x": 3, "%ntid.x": 4}  # arguments of a thread
workers = ThreadPoolExecutor(4)


def type_of(kind: str) -> Any:
    """LLVM's type for one of PTX."""
    if kind == "pred":
        return BIT
    return {"f32": SINGLE, "f64": DOUBLE}.get(kind) or ir.IntType(int(kind[1:]))


class Machine:
    """A kernel, ready to run.

    Parameters
    ----------
    ptx
        Its only entry, with all that it calls in line.
    """

    def __init__(self, ptx: str) -> None:
        self.module = ir.Module()
        self.look = self._look()
        self.parameters = 0
        self._loop(self._thread(ptx))
        module = llvm.parse_assembly(str(self.module))
        module.verify()
        machine = llvm.Target.from_default_triple().create_target_machine(
            cpu=llvm.get_host_cpu_name(), features=llvm.get_host_cpu_features().flatten(), opt=2
        )
        builder = llvm.create_pass_builder(machine, llvm.create_pipeline_tuning_options(speed_level=2))
        builder.getModulePassManager().run(module, builder)
        self._engine = llvm.create_mcjit_compiler(module, machine)
        self._engine.finalize_object()
        address = self._engine.get_function_address("run")
        self._run = ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * 3, *[ctypes.c_int64] * 2, ctypes.c_int32)(address)

    def __call__(self, numbers: np.ndarray, threads: int, parameters: list[int | float], arrays: list[Any]) -> None:
        """Run the threads of these numbers, in this order, some at the same time.

        Raises
        ------
        MemoryError
            if one of them reads or writes beyond the arrays, or writes to one that is read-only.
        """
        assert len(parameters) == self.parameters, (len(parameters), self.parameters)
        bits = [struct.pack("<d" if isinstance(value, float) else "<q", value) for value in parameters]
        given = np.frombuffer(b"".join(bits), np.int64)
        bounds = [(*byte_bounds(array), int(array.flags.writeable)) for array in arrays]
        table = np.array([len(bounds), 0, *sum(bounds, ())], np.int64)
        numbers = np.ascontiguousarray(numbers, np.int32)
        ends = np.linspace(0, len(numbers), 5).astype(int)
        where = [array.ctypes.data for array in (given, table, numbers)]
        list(workers.map(lambda part: self._run(*where, *part, threads), pairwise(ends)))
        if table[FAULT]:
            raise MemoryError(f"a thread goes to {int(table[FAULT]):#x}, which is in none of {bounds}")

    def _look(self) -> ir.Function:
        """``look(address, bytes, writes, table)``: the address, or a harmless one if no array of the table holds it."""
        function = ir.Function(self.module, ir.FunctionType(LONG, [LONG, LONG, LONG, LONG.as_pointer()]), "look")
        function.linkage = "internal"
        nowhere = ir.GlobalVariable(self.module, LONG, "nowhere")
        nowhere.linkage, nowhere.initializer = "internal", LONG(0)
        address, size, writes, table = function.args
        begin, again, test, lost, found = (function.append_basic_block() for _ in range(5))
        at = ir.IRBuilder(begin)
        count = at.mul(at.load(table), LONG(3))
        at.branch(again)
        at = ir.IRBuilder(again)
        k = at.phi(LONG)
        k.add_incoming(LONG(0), begin)
        at.cbranch(at.icmp_signed("<", k, count), test, lost)
        at = ir.IRBuilder(test)
        low, high, may = (at.load(at.gep(table, [at.add(k, LONG(FIRST + i))])) for i in range(3))
        k.add_incoming(at.add(k, LONG(3)), test)
        inside = at.and_(at.icmp_unsigned(">=", address, low), at.icmp_unsigned("<=", at.add(address, size), high))
        at.cbranch(at.and_(inside, at.icmp_unsigned("<=", writes, may)), found, again)
        at = ir.IRBuilder(lost)
        at.store_atomic(address, at.gep(table, [LONG(FAULT)]), "monotonic", 8)
        at.ret(at.ptrtoint(nowhere, LONG))
        ir.IRBuilder(found).ret(address)
        return function

    def _loop(self, thread: ir.Function) -> None:
        """``run(parameters, table, numbers, begin, end, threads)``: the threads of some numbers, one after the other."""
        kinds = [LONG.as_pointer()] * 2 + [INT.as_pointer()] + [LONG] * 2 + [INT]
        function = ir.Function(self.module, ir.FunctionType(NOTHING, kinds), "run")
        parameters, table, numbers, first, end, threads = function.args
        begin, again, body, done = (function.append_basic_block() for _ in range(4))
        ir.IRBuilder(begin).branch(again)
        at = ir.IRBuilder(again)
        k = at.phi(LONG)
        k.add_incoming(first, begin)
        at.cbranch(at.icmp_signed("<", k, end), body, done)
        at = ir.IRBuilder(body)
        number = at.load(at.gep(numbers, [k]))
        at.call(thread, [parameters, table, at.urem(number, threads), at.udiv(number, threads), threads])
        k.add_incoming(at.add(k, LONG(1)), body)
        at.branch(again)
        ir.IRBuilder(done).ret_void()

    def _thread(self, ptx: str) -> ir.Function:
        """``thread(parameters, table, place in its block, block, threads of a block)``."""
        kinds = [LONG.as_pointer()] * 2 + [INT] * 3
        function = ir.Function(self.module, ir.FunctionType(NOTHING, kinds), "thread")
        function.linkage = "internal"
        head, code = ptx[ptx.index(".entry") :].split("{", 1)
        slots = {name: place for place, name in enumerate(re.findall(r"\.param \.\w+ (\w+)", head))}
        self.parameters = len(slots)
        Body(self, function, slots, code)
        return function


class Body:
    """The instructions of a kernel, put into a function of LLVM."""

    def __init__(self, machine: Machine, function: ir.Function, slots: dict[str, int], code: str) -> None:
        self.machine, self.function, self.slots = machine, function, slots
        self.at = ir.IRBuilder(function.append_basic_block())
        registers = {"%temp": INT}
        for kind, stem, count in re.findall(r"\.reg \.(\w+)\s+(%\w+)<(\d+)>", code):
            registers |= {f"{stem}{number}": type_of(kind) for number in range(int(count))}
        self.type = registers
        self.home = {name: self.at.alloca(kind) for name, kind in registers.items()}
        self.block = {name: function.append_basic_block() for name in re.findall(r"^(\$\w+):", code, re.MULTILINE)}
        for line in code.splitlines():
            self.line(line.split("//")[0].strip())
        if not self.at.block.is_terminated:
            self.at.unreachable()

    def line(self, line: str) -> None:
        if not line or line in "{}" or line.startswith((".reg", ".pragma")):
            return
        if line.endswith(":"):
            self.go(self.block[line[:-1]])
            return
        negated, predicate, name, rest = re.fullmatch(r"(?:@(!?)(%p\d+)\s+)?([\w.]+)\s*(.*);", line).groups()
        operands = [one.strip() for one in re.findall(r"\{[^}]*\}|[^,{\s][^,]*", rest)]
        after = self.function.append_basic_block() if predicate else None
        if predicate:
            do = self.function.append_basic_block()
            self.at.cbranch(self.read(predicate, BIT), *((after, do) if negated else (do, after)))
            self.at.position_at_end(do)
        self.do(*name.split("."), operands=operands)
        if after:
            self.go(after)

    def go(self, block: ir.Block) -> None:
        """What follows is in this block, which what came before goes on to unless it has gone elsewhere."""
        if not self.at.block.is_terminated:
            self.at.branch(block)
        self.at.position_at_end(block)

    def read(self, operand: str, to: Any, signed: bool = False) -> Any:
        """What an operand holds, as a value of this type."""
        if operand in SPECIAL:
            return self.fit(self.function.args[SPECIAL[operand]], to, signed)
        if operand in self.type:
            return self.fit(self.at.load(self.home[operand]), to, signed)
        if operand.startswith(("0d", "0f")):
            code = ">d" if operand[1] == "d" else ">f"
            return to(struct.unpack(code, bytes.fromhex(operand[2:]))[0])
        return to(int(operand, 0)) if to != BIT else BIT(int(operand, 0) != 0)

    def fit(self, value: Any, to: Any, signed: bool = False) -> Any:
        """The bits of a value as another type, with more of its sign or of 0 in front if that is wider."""
        if value.type == to:
            return value
        if not (isinstance(value.type, ir.IntType) and isinstance(to, ir.IntType)):
            return self.at.bitcast(value, to)
        if to.width < value.type.width:
            return self.at.trunc(value, to)
        return self.at.sext(value, to) if signed else self.at.zext(value, to)

    def write(self, register: str, value: Any, signed: bool = False) -> None:
        self.at.store(self.fit(value, self.type[register], signed), self.home[register])

    def call(self, name: str, kind: Any, *values: Any) -> Any:
        """A function that LLVM knows, for numbers of this type."""
        name = f"llvm.{name}.{kind.intrinsic_name}"
        taken = ir.FunctionType(kind, [value.type for value in values])
        known = self.machine.module.globals.get(name) or ir.Function(self.machine.module, taken, name)
        return self.at.call(known, values)

    def pointer(self, operand: str, kind: Any, writes: bool) -> Any:
        """The place of what is in brackets, looked up."""
        base, *offset = operand.strip("[]").split("+")
        address = self.at.add(self.read(base, LONG), LONG(int(offset[0]) if offset else 0))
        size = LONG(kind.width // 8)
        address = self.at.call(self.machine.look, [address, size, LONG(int(writes)), self.function.args[1]])
        return self.at.inttoptr(address, kind.as_pointer())

    def do(self, name: str, *how: str, operands: list[str]) -> None:
        """One instruction: its name, what follows the name between points, and what it is about."""
        if name in ("bra", "ret"):
            self.at.branch(self.block[operands[0]]) if name == "bra" else self.at.ret_void()
            self.at.position_at_end(self.function.append_basic_block())
            return
        last, signed = how[-1], how[-1].startswith("s")
        kind, to, given = type_of(last), operands[0], operands[1:]
        at, is_float = self.at, type_of(last) in (SINGLE, DOUBLE)
        sign = "s" if signed else "u"
        match name, *how:
            case ["ld", "param", _]:
                place = self.slots[given[0].strip("[]")]
                value = at.load(at.gep(self.function.args[0], [LONG(place)]))
                self.write(to, self.fit(value, kind))
            case ["ld", "global", _]:
                whole = LONG if is_float else kind
                value = at.load_atomic(self.pointer(given[0], whole, False), "monotonic", whole.width // 8)
                self.write(to, value, signed)
            case ["st", "global", _]:
                whole = LONG if is_float else kind
                value = self.fit(self.read(given[0], kind), whole)
                at.store_atomic(value, self.pointer(to, whole, True), "monotonic", whole.width // 8)
            case ["atom", "global", "cas", "b64"]:
                old, new = (self.read(one, kind) for one in given[1:])
                pair = at.cmpxchg(self.pointer(given[0], kind, True), old, new, "monotonic", "monotonic")
                self.write(to, at.extract_value(pair, 0))
            case ["atom", "global", "add" | "min" as what, _]:
                what = {"add": "add", "min": "min" if signed else "umin"}[what]
                self.write(
                    to, at.atomic_rmw(what, self.pointer(given[0], kind, True), self.read(given[1], kind), "monotonic")
                )
            case ["cvta", "to", "global", "u64"]:
                self.write(to, self.read(given[0], kind))
            case ["mov", _] if to.startswith("{"):
                for part, register in enumerate(to.strip("{}").split(",")):
                    self.write(register.strip(), at.lshr(self.read(given[0], LONG), LONG(32 * part)))
            case ["mov", _] if given[0].startswith("{"):
                low, high = (self.read(one.strip(), INT) for one in given[0].strip("{}").split(","))
                self.write(to, at.or_(self.fit(low, LONG), at.shl(self.fit(high, LONG), LONG(32))))
            case ["mov", _]:
                self.write(to, self.read(given[0], self.type[to]))
            case ["selp", _]:
                one, other = (self.read(operand, kind) for operand in given[:2])
                self.write(to, at.select(self.read(given[2], BIT), one, other))
            case ["setp", test, _]:
                one, other = (self.read(operand, kind) for operand in given)
                self.write(to, self.compared(test, one, other, last))
            case ["mul", "wide", "s32"]:
                self.write(to, at.mul(*(self.read(operand, LONG, True) for operand in given)))
            case ["shl" | "shr", _]:
                self.write(to, self.shifted(name, self.read(given[0], kind), self.read(given[1], INT), signed))
            case ["not", _]:
                self.write(to, at.not_(self.read(given[0], kind)))
            case ["neg", _]:
                value = self.read(given[0], kind)
                self.write(to, at.fneg(value) if is_float else at.neg(value))
            case ["min" | "max", _]:
                one, other = (self.read(operand, kind) for operand in given)
                self.write(to, self.call(f"{name}num" if is_float else f"{sign}{name}", kind, one, other))
            case ["copysign", _]:  # PTX has the sign first
                self.write(to, self.call("copysign", kind, *(self.read(operand, kind) for operand in given[::-1])))
            case ["fma", "rn", _] | ["sqrt", "rn", _] | ["abs", _] if is_float:
                what = {"abs": "fabs"}.get(name, name)
                self.write(to, self.call(what, kind, *(self.read(operand, kind) for operand in given)))
            case ["rsqrt", "approx", "ftz", "f64"]:
                exact = at.fdiv(DOUBLE(1.0), self.call("sqrt", DOUBLE, self.read(given[0], DOUBLE)))
                self.write(to, at.and_(self.fit(exact, LONG), LONG(-1 << 32)))
            case ["cvt", "rn", "f64", "s64"]:
                self.write(to, at.sitofp(self.read(given[0], LONG), DOUBLE))
            case ["cvt", "rzi", "s64", "f64"]:
                self.write(to, self.truncated(self.read(given[0], DOUBLE)))
            case ["cvt", "rmi", "f64", "f64"]:
                self.write(to, self.call("floor", DOUBLE, self.read(given[0], DOUBLE)))
            case ["cvt", wide, _] if "f" not in wide + last:
                value = self.fit(self.read(given[0], kind), type_of(wide), signed)
                self.write(to, value, wide.startswith("s"))
            case ["add" | "sub" | "mul" | "div" | "rem" | "and" | "or" | "xor", *between, _]:
                assert between in ([], ["rn"], ["lo"])
                one, other = (self.read(operand, kind) for operand in given)
                if is_float:
                    loose = () if between else ("contract",)
                    self.write(to, getattr(at, f"f{name}")(one, other, flags=loose))
                else:
                    whole = {"and": "and_", "or": "or_", "div": f"{sign}div", "rem": f"{sign}rem"}.get(name, name)
                    self.write(to, getattr(at, whole)(one, other))
            case _:
                raise LookupError(f"{'.'.join((name, *how))} {operands}")

    def compared(self, test: str, one: Any, other: Any, last: str) -> Any:
        if last.startswith("f"):
            unordered = test.endswith("u") and test != "u"
            compare = self.at.fcmp_unordered if unordered else self.at.fcmp_ordered
            return compare(COMPARED[test.removesuffix("u")], one, other)
        return (self.at.icmp_signed if last.startswith("s") else self.at.icmp_unsigned)(COMPARED[test], one, other)

    def shifted(self, name: str, value: Any, by: Any, signed: bool) -> Any:
        """A shift by as many bits as there are, or more, leaves nothing but the sign."""
        most = INT(value.type.width - 1)
        small = self.at.icmp_unsigned("<=", by, most)
        amount = self.fit(self.at.select(small, by, most), value.type)
        if name == "shr" and signed:
            return self.at.ashr(value, amount)
        found = (self.at.shl if name == "shl" else self.at.lshr)(value, amount)
        return self.at.select(small, found, value.type(0))

    def truncated(self, value: Any) -> Any:
        """The whole part of a float64; the nearest that 64 bits hold, and the least for NaN."""
        least, most = DOUBLE(-(2.0**63)), DOUBLE(2.0**63)
        fits = self.at.and_(self.at.fcmp_ordered(">=", value, least), self.at.fcmp_ordered("<", value, most))
        found = self.at.fptosi(self.at.select(fits, value, DOUBLE(0.0)), LONG)
        beyond = self.at.select(self.at.fcmp_ordered(">=", value, most), LONG((1 << 63) - 1), LONG(-(1 << 63)))
        return self.at.select(fits, found, beyond)
