"""Who is near to a role, who waits on whom, and what is left to do after a merge."""

from bot.app.board.making import make_board as make_board
