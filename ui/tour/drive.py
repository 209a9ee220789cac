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

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication

from app.usecases.paper_files import save_card, save_slip
from ui.tour.cast import find_cast
from ui.tour.driver import Camera, Driver, Hands, Tour
from ui.tour.script import Steps
from ui.window import build_window


class PretendPrinter:
    """A port that takes bytes and says nothing: enough for a printer that is set to be blind."""

    def __init__(self) -> None:
        self._server = socket.create_server(("127.0.0.1", 0))
        self.address = f"tcp://127.0.0.1:{self._server.getsockname()[1]}?blind"
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        """Take it away: whoever connects is refused."""
        # Without the shutdown a thread that waits in accept() keeps the port open.
        self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._server.accept()
            except OSError:
                return
            with connection:
                while connection.recv(65536):
                    pass


def main(argv: list[str]) -> int:
    """Drive one day; writes tour.json beside the pictures. 0 when every step went well."""
    store, pictures, language, theme, day = argv
    out = Path(pictures)
    printer = PretendPrinter()
    cast = find_cast(Path(store), printer.address, close_printer=printer.close)
    application = QApplication(["regulars"])
    window = build_window(application, Path(store), language=language, theme=theme)
    put_back = window.crash.install()
    window.setWindowFlag(Qt.WindowType.FramelessWindowHint)
    window.showFullScreen()
    tour = Tour(out)
    steps = Steps(window, cast, Camera(window, tour), Hands())
    script = steps.whole_day() if day == "whole" else steps.short_day()

    def finished() -> None:
        desk = window.desk
        if desk is not None and window.shell is not None and not tour.failure:
            member = window.shell.counter.attached
            if steps.shown_sale is not None:
                save_slip(desk.context, steps.shown_sale, out, "receipt")
            if member is not None:
                save_card(desk.context, member.member_id, out)
        window.close()
        application.quit()

    driver = Driver(window, tour, script, finished)
    driver.start()
    try:
        application.exec()
    finally:
        put_back()
    report = {"failure": tour.failure, "steps": [asdict(each) for each in tour.done]}
    (out / "tour.json").write_text(json.dumps(report, ensure_ascii=False, indent=1), "utf-8")
    return 1 if tour.failure else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
