"""A line of text being typed: the filter and the palette's search."""

from dataclasses import dataclass

__all__ = ["Typed"]

# Longer than any name or value that is taken, so that one that is too long is refused in words and not cut in
# silence; a paste of a whole file stops here.
MOST_CHARACTERS = 1_000


@dataclass(frozen=True, slots=True)
class Typed:
    """The text so far; keys make the next one."""

    text: str = ""

    def after(self, key: str) -> "Typed | None":
        """The text after this key; None when the key does not edit."""
        match key:
            case "backspace" | "ctrl+h":
                return Typed(self.text[:-1])
            case "ctrl+u":
                return Typed()
            case "ctrl+w":
                return Typed(self.text.rstrip().rpartition(" ")[0])
            case "space":
                return self.pasted(" ")
            case _ if len(key) == 1 and key.isprintable():
                return self.pasted(key)
            case _:
                return None

    def pasted(self, text: str) -> "Typed":
        """The text with what was pasted behind it, on one line."""
        harmless = "".join(c if c.isprintable() else " " for c in text)
        return Typed((self.text + harmless)[:MOST_CHARACTERS])
