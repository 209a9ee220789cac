"""The part of pyzbar that the tests use; the package ships no types."""

from typing import NamedTuple

from PIL.Image import Image

class Decoded(NamedTuple):
    data: bytes
    type: str

def decode(image: Image) -> list[Decoded]: ...
