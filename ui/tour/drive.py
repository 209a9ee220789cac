"""The process on the virtual screen: the real window, the hands that type, the camera, the report.

Arguments: store folder, pictures folder, language, theme, "whole" or "short".
"""

from __future__ import annotations

import json
import socket
import sys
import threading
from dataclasses import asdict
from pathlib import Path
from typing import Final

from PySide6.QtWidgets import QApplication

from app import posting
from app.context import Context
from app.usecases.paper_files import newest_of, save_card, save_slip
from ui.main_window import MainWindow
from ui.tour.cast import find_cast
from ui.tour.day_script import DaySteps
from ui.tour.driver import Camera, Driver, Hands, Script, Tour
from ui.tour.office import TourOffice
from ui.window import OneWindow

_SLIPS: Final = {
    "x": posting.EXPORT,
    "pay_in": posting.CASH,
    "count": posting.COUNT,
    "shift": posting.SHIFT_CLOSE,
    "z": posting.DAY_CLOSE,
}
"""Files beside the pictures, by the events whose slips they are."""


class PretendPrinter:
    """A port that takes bytes and says nothing: enough for a printer that is set to be blind."""

    def __init__(self) -> None:
        self._server = self._listen(0)
        self._port: int = self._server.getsockname()[1]
        self.address = f"tcp://127.0.0.1:{self._port}?blind"

    def close(self) -> None:
        """Take it away: whoever connects is refused."""
        # Without the shutdown a thread that waits in accept() keeps the port open.
        self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()

    def open_again(self) -> None:
        """Bring it back."""
        self._server = self._listen(self._port)

    def _listen(self, port: int) -> socket.socket:
        server = socket.create_server(("127.0.0.1", port))
        threading.Thread(target=self._serve, args=(server,), daemon=True).start()
        return server

    @staticmethod
    def _serve(server: socket.socket) -> None:
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            with connection:
                while connection.recv(65536):
                    pass


class Stage(OneWindow):
    """The window over the whole screen, where the window manager gives it no frame."""

    def show(self, folder: Path | None = None, passphrase: str | None = None) -> None:
        super().show(folder, passphrase)
        self.shown.showFullScreen()

    @property
    def shown(self) -> MainWindow:
        """The window that is on the stage now."""
        assert self.window is not None, "the stage was opened"
        return self.window


def main(argv: list[str]) -> int:
    """Drive one day; writes tour.json beside the pictures. 0 when every step went well."""
    store, pictures, language, theme, day = argv
    out = Path(pictures)
    printer = PretendPrinter()
    office = TourOffice(Path(store).with_name(f"{Path(store).name}-office"))
    cast = find_cast(
        Path(store), printer.address, close_printer=printer.close, open_printer=printer.open_again,
        office=office,
    )  # fmt: skip
    application = QApplication(["regulars"])
    stage = Stage(application, Path(store), language=language, theme=theme)
    stage.show()
    tour = Tour(out)
    steps = DaySteps(lambda: stage.shown, cast, Camera(lambda: stage.shown, tour), Hands())

    def script() -> Script:
        yield from steps.whole_day() if day == "whole" else steps.short_day()
        assert steps.window.desk is not None
        keep_papers(steps.window.desk.context, steps.shown_sale, out)
        save_card(steps.window.desk.context, cast.rich_member, out)
        yield from steps.training()

    def finished() -> None:
        stage.shown.close()
        application.quit()

    driver = Driver(lambda: stage.shown, tour, script(), finished)
    driver.start()
    try:
        application.exec()
    finally:
        office.stop()
        stage.put_back()
    report = {"failure": tour.failure, "steps": [asdict(each) for each in tour.done]}
    (out / "tour.json").write_text(json.dumps(report, ensure_ascii=False, indent=1), "utf-8")
    return 1 if tour.failure else 0


def keep_papers(ctx: Context, sale: bytes | None, out: Path) -> None:
    """The slips of the day as files beside the pictures."""
    assert sale is not None, "the sale with points was made"
    save_slip(ctx, sale, out, "receipt")
    for name, kind in _SLIPS.items():
        save_slip(ctx, newest_of(ctx, kind), out, name)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
