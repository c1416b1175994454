"""How people write what they are called: the same thing in other letters, and sometimes a wrong one."""

from __future__ import annotations

from identity_graph.world.dice import Dice

_SLIPS = {"gmail.com": "gmial.com", "example": "exmaple", "letters": "leters"}


def spell_email(dice: Dice, address: str) -> str:
    """As it is three times in four; else capitals, a plus tag, Gmail's other spellings, or a slip."""
    chance = dice.random()
    if chance < 0.76:
        return address
    local, _, host = address.partition("@")
    if chance < 0.88:
        return f"{local.title()}@{host}" if dice.chance(0.7) else address.upper()
    if chance < 0.94:
        return f"{local}+{dice.pick(('shop', 'news', 'hearth'))}@{host}"
    if chance < 0.98 and host == "gmail.com":
        return f"{local[0]}.{local[1:]}@googlemail.com" if local[1] != "." else f"{local}@googlemail.com"
    if chance < 0.98:
        return f"{local}@{host.upper()}"
    place = dice.below(max(1, len(local) - 2))
    if dice.chance(0.5) and local[place] != "." != local[place + 1]:
        return f"{local[:place]}{local[place + 1]}{local[place]}{local[place + 2 :]}@{host}"
    for right, wrong in _SLIPS.items():
        if right in host:
            return f"{local}@{host.replace(right, wrong)}"
    return address


def spell_phone(dice: Dice, number: str) -> str:
    """A North American number in one of its national and international forms."""
    area, exchange, line = number[2:5], number[5:8], number[8:]
    forms = (
        number,
        number,
        f"+1 {area} {exchange} {line}",
        f"({area}) {exchange}-{line}",
        f"{area}-{exchange}-{line}",
        f"1.{area}.{exchange}.{line}",
    )
    return dice.pick(forms)


def spell_card(dice: Dice, card: str) -> str:
    """`LC01234567` with or without gaps and capitals."""
    forms = (card, card, card.lower(), f"{card[:2]} {card[2:6]} {card[6:]}", f"{card[:2]}-{card[2:6]}-{card[6:]}")
    return dice.pick(forms)
