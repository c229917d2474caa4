"""`wufeng play`: a public stream of card payments, paid on credit through the engine, day by day."""

from wufeng.lab.play.engine import Engine
from wufeng.lab.play.model import Played, PlaySettings, Progress
from wufeng.lab.play.run import play
from wufeng.lab.play.stream import read_stream

__all__ = ["Engine", "PlaySettings", "Played", "Progress", "play", "read_stream"]
