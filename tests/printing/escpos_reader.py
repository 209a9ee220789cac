"""A reader of ESC/POS that shares no code with the product: bytes in, what paper would show out.

Written from the public command reference (Epson's ESC/POS reference for the commands, a GB18030
printer's manual for the Chinese mode). It knows the white-list of printing.md P2 and nothing
else: any other byte sequence is an UnknownCommand. It imports nothing of the product.
"""

from __future__ import annotations

from dataclasses import dataclass, field


class UnknownCommandError(Exception):
    """A byte sequence outside the white-list, or one in a place where the reference forbids it."""


@dataclass
class Run:
    """Characters printed in one style, from a column on."""

    column: int
    text: str
    wide: int
    high: int
    bold: bool
    invert: bool


@dataclass
class Printed:
    """One thing on paper: `text` a line, `image` raster rows, `code128`, `qr`, or `cut`."""

    kind: str
    runs: list[Run] = field(default_factory=list)
    data: str = ""
    width: int = 0
    height: int = 0
    rows: bytes = b""
    centered: bool = False
    module: int = 0

    @property
    def text(self) -> str:
        """The line as a person reads it; narrow blanks where the head was moved by spaces."""
        return "".join(run.text for run in self.runs)

    @property
    def columns(self) -> int:
        last = self.runs[-1] if self.runs else None
        return last.column + _width(last.text) * last.wide if last else 0


def _width(text: str) -> int:
    return sum(1 if character.isascii() else 2 for character in text)


class EscPosReader:
    """Reads one job. After `read`, `printed` holds the paper from top to bottom and `commands`
    what was asked.
    """

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0
        self.printed: list[Printed] = []
        self.commands: list[str] = []
        self._line: list[Run] = []
        self._column = 0
        self._reset()

    def _reset(self) -> None:
        self._chinese = True
        self._latin_size = (1, 1)
        self._chinese_size = (1, 1)
        self._bold = False
        self._invert = False
        self._align = 0
        self._hri = 0
        self._bar_height = 162
        self._bar_module = 3
        self._qr: dict[str, int] = {}
        self._qr_data = b""

    def read(self) -> list[Printed]:
        while self._at < len(self._data):
            byte = self._take(1)[0]
            match byte:
                case 0x1B:
                    self._escape()
                case 0x1C:
                    self._chinese_command()
                case 0x1D:
                    self._group()
                case 0x0A:
                    self._end_line()
                case _ if byte < 0x20 or byte == 0x7F:
                    raise UnknownCommandError(f"control {byte:02X} at {self._at - 1}")
                case _:
                    self._character(byte)
        if self._line:
            raise UnknownCommandError("the job ends in the middle of a line")
        return self.printed

    def _take(self, count: int) -> bytes:
        taken = self._data[self._at : self._at + count]
        if len(taken) < count:
            raise UnknownCommandError("the job ends in the middle of a command")
        self._at += count
        return taken

    def _end_line(self) -> None:
        self.printed.append(Printed("text", runs=self._line, centered=self._align == 1))
        self._line, self._column = [], 0

    def _at_line_start(self, name: str) -> None:
        if self._line:
            raise UnknownCommandError(f"{name} is for the start of a line")

    def _character(self, byte: int) -> None:
        if byte < 0x80:
            character, size, width = chr(byte), self._latin_size, 1
        else:
            if not self._chinese:
                raise UnknownCommandError(f"byte {byte:02X} outside Chinese mode")
            second = self._take(1)[0]
            if not (0x81 <= byte <= 0xFE and 0x40 <= second <= 0xFE and second != 0x7F):
                raise UnknownCommandError(f"{byte:02X} {second:02X} is no two-byte character")
            character, size, width = (
                bytes((byte, second)).decode("gbk" if byte != 0xA2 else "gb18030"),
                self._chinese_size,
                2,
            )
        if self._latin_size != self._chinese_size:
            raise UnknownCommandError("Latin and Chinese sizes differ")
        last = self._line[-1] if self._line else None
        style = (*size, self._bold, self._invert)
        if last and (last.wide, last.high, last.bold, last.invert) == style:
            last.text += character
        else:
            self._line.append(Run(self._column, character, *style))
        self._column += width * size[0]

    def _escape(self) -> None:
        match self._take(1)[0]:
            case 0x40:
                self._reset()
                self.commands.append("ESC @")
            case 0x52:
                if self._take(1) != b"\x00":
                    raise UnknownCommandError("an international set other than USA")
                self.commands.append("ESC R")
            case 0x45:
                self._bold = bool(self._take(1)[0] & 1)
                self.commands.append("ESC E")
            case 0x61:
                self._at_line_start("ESC a")
                self._align = self._take(1)[0]
                if self._align > 2:
                    raise UnknownCommandError("ESC a")
                self.commands.append("ESC a")
            case other:
                raise UnknownCommandError(f"ESC {other:02X}")

    def _chinese_command(self) -> None:
        match self._take(1)[0]:
            case 0x26:
                self._chinese = True
                self.commands.append("FS &")
            case 0x2E:
                self._chinese = False
                self.commands.append("FS .")
            case 0x21:
                bits = self._take(1)[0]
                if bits & ~0x8C:
                    raise UnknownCommandError("FS !")
                self._chinese_size = (2 if bits & 4 else 1, 2 if bits & 8 else 1)
                self.commands.append("FS !")
            case other:
                raise UnknownCommandError(f"FS {other:02X}")

    def _group(self) -> None:
        match self._take(1)[0]:
            case 0x21:
                bits = self._take(1)[0]
                self._latin_size = ((bits >> 4) + 1, (bits & 15) + 1)
                self.commands.append("GS !")
            case 0x42:
                self._at_line_start("GS B")
                self._invert = bool(self._take(1)[0] & 1)
                self.commands.append("GS B")
            case 0x48:
                self._hri = self._take(1)[0]
                self.commands.append("GS H")
            case 0x66:
                self._take(1)
                self.commands.append("GS f")
            case 0x68:
                self._bar_height = self._take(1)[0]
                self.commands.append("GS h")
            case 0x77:
                self._bar_module = self._take(1)[0]
                self.commands.append("GS w")
            case 0x6B:
                self._bar_code()
            case 0x28:
                self._symbol()
            case 0x76:
                self._raster()
            case 0x56:
                if self._take(1)[0] not in (0x41, 0x42):
                    raise UnknownCommandError("GS V")
                self._take(1)
                self._at_line_start("GS V")
                self.printed.append(Printed("cut"))
                self.commands.append("GS V")
            case other:
                raise UnknownCommandError(f"GS {other:02X}")

    def _bar_code(self) -> None:
        self._at_line_start("GS k")
        system, length = self._take(2)
        data = self._take(length)
        if system != 0x49 or data[:1] != b"{" or self._hri != 2:
            raise UnknownCommandError("GS k other than Code 128 with its text below")
        said, place, digits = "", 0, False
        while place < len(data):
            byte = data[place]
            if byte == 0x7B:
                place += 1
                mark = data[place]
                if mark == 0x7B and not digits:
                    said += "{"
                elif mark in (0x42, 0x43):
                    digits = mark == 0x43
                else:
                    raise UnknownCommandError("GS k code set")
            elif digits:
                if byte > 99:
                    raise UnknownCommandError("GS k digits")
                said += f"{byte:02}"
            else:
                said += chr(byte)
            place += 1
        self.printed.append(
            Printed(
                "code128",
                data=said,
                height=self._bar_height,
                module=self._bar_module,
                centered=self._align == 1,
            )
        )
        self.commands.append("GS k")

    def _symbol(self) -> None:
        if self._take(1) != b"k":
            raise UnknownCommandError("GS (")
        length = int.from_bytes(self._take(2), "little")
        body = self._take(length)
        match body[:2]:
            case b"1A":
                self._qr["model"] = body[2]
            case b"1C":
                self._qr["module"] = body[2]
            case b"1E":
                self._qr["level"] = body[2]
            case b"1P":
                if body[2] != 0x30:
                    raise UnknownCommandError("GS ( k store")
                self._qr_data = body[3:]
            case b"1Q":
                if self._qr.get("model") != 0x32 or self._qr.get("level") != 0x31:
                    raise UnknownCommandError("a QR code other than model 2, level M")
                self._at_line_start("GS ( k")
                self.printed.append(
                    Printed(
                        "qr",
                        data=self._qr_data.decode(),
                        module=self._qr["module"],
                        centered=self._align == 1,
                    )
                )
            case _:
                raise UnknownCommandError("GS ( k")
        self.commands.append("GS ( k")

    def _raster(self) -> None:
        self._at_line_start("GS v 0")
        if self._take(2) != b"0\x00":
            raise UnknownCommandError("GS v")
        across = int.from_bytes(self._take(2), "little")
        height = int.from_bytes(self._take(2), "little")
        self.printed.append(
            Printed("image", width=across * 8, height=height, rows=self._take(across * height))
        )
        self.commands.append("GS v 0")
