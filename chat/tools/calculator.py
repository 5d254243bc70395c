"""A tool that calculates. Nothing is evaluated by Python itself: a tree of known nodes is walked.

Every number stays within MAX_BITS, so that no expression takes time or memory to speak of.
"""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable, Mapping

from chat.tools.registry import ToolError, tool

MAX_CHARS = 500
MAX_BITS = 10_000
"""Of a whole number; Python writes out no more than about 14,000."""

MAX_FACTORIAL = 500

Number = int | float

_BINARY: Mapping[type[ast.operator], Callable[[Number, Number], Number]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
}
_UNARY: Mapping[type[ast.unaryop], Callable[[Number], Number]] = {
    ast.UAdd: operator.pos,
    ast.USub: operator.neg,
}
_CONSTANTS: Mapping[str, float] = {"pi": math.pi, "e": math.e, "tau": math.tau}
_SIGNS = str.maketrans({"×": "*", "·": "*", "÷": "/", "−": "-"})  # noqa: RUF001


@tool
def calculator(expression: str) -> str:
    """Calculate the value of an arithmetic expression exactly, or as precisely as a computer can.

    It knows + - * / // % ** and parentheses, the constants pi, e and tau, and the functions
    abs, ceil, cos, exp, factorial, floor, gcd, log (of any base), log10, log2, max, min, round,
    sin, sqrt, sum and tan; angles are in radians.

    Args:
        expression: such as (2 + 3) * sqrt(16) / 7
    """
    return str(calculate(expression))


def calculate(expression: str) -> Number:
    """Return the value of an expression.

    Raises:
        ToolError: it is none, or its value is none that can be told.
    """
    if len(expression) > MAX_CHARS:
        raise ToolError(f"The expression has {len(expression)} characters; {MAX_CHARS} are taken.")
    source = expression.translate(_SIGNS).replace("^", "**").strip()
    try:
        return _value(ast.parse(source, mode="eval").body)
    except (SyntaxError, RecursionError, MemoryError):
        raise ToolError("This is no arithmetic expression.") from None
    except ZeroDivisionError:
        raise ToolError("This divides by zero.") from None
    except OverflowError:
        raise ToolError("The numbers become too large.") from None
    except (ValueError, TypeError) as error:
        raise ToolError(f"This has no value: {error}.") from None


def _value(node: ast.expr) -> Number:
    match node:
        case ast.Constant(value=int() | float() as number) if not isinstance(number, bool):
            return _bounded(number)
        case ast.Name(id=name) if name in _CONSTANTS:
            return _CONSTANTS[name]
        case ast.UnaryOp(op=op, operand=operand) if type(op) in _UNARY:
            return _UNARY[type(op)](_value(operand))
        case ast.BinOp(left=left, op=ast.Pow(), right=right):
            return _bounded(_power(_value(left), _value(right)))
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _BINARY:
            return _bounded(_BINARY[type(op)](_value(left), _value(right)))
        case ast.Call(func=ast.Name(id=name), args=args, keywords=[]) if name in _FUNCTIONS:
            return _bounded(_FUNCTIONS[name](*(_value(arg) for arg in args)))
    raise ToolError(f"`{ast.unparse(node)[:40]}` can't be calculated.")


def _bounded(number: Number) -> Number:
    if isinstance(number, complex):
        raise ToolError("The value is no real number.")
    if isinstance(number, int) and number.bit_length() > MAX_BITS:
        raise OverflowError
    if isinstance(number, float) and not math.isfinite(number):
        raise OverflowError
    return number


def _power(base: Number, exponent: Number) -> Number:
    is_whole = isinstance(base, int) and isinstance(exponent, int)
    # Before it is calculated: the result would fill the memory.
    if is_whole and abs(base) > 1 and int(base).bit_length() * abs(exponent) > 2 * MAX_BITS:
        raise OverflowError
    power: Number = base**exponent
    return power


def _factorial(number: Number) -> int:
    if not isinstance(number, int) or not 0 <= number <= MAX_FACTORIAL:
        raise ToolError(f"factorial takes whole numbers from 0 to {MAX_FACTORIAL}.")
    return math.factorial(number)


def _round(number: Number, digits: Number = 0) -> Number:
    if not isinstance(digits, int) or abs(digits) > 100:
        raise ToolError("round takes a whole number of digits from -100 to 100.")
    return round(number, digits) if digits else round(number)


_FUNCTIONS: Mapping[str, Callable[..., Number]] = {
    "abs": abs,
    "ceil": math.ceil,
    "cos": math.cos,
    "exp": math.exp,
    "factorial": _factorial,
    "floor": math.floor,
    "gcd": math.gcd,
    "log": math.log,
    "log10": math.log10,
    "log2": math.log2,
    "max": lambda *numbers: max(numbers),
    "min": lambda *numbers: min(numbers),
    "round": _round,
    "sin": math.sin,
    "sqrt": math.sqrt,
    "sum": lambda *numbers: sum(numbers),
    "tan": math.tan,
}
