"""Write a script that completes commands and options; it names what the parser knows."""

from bot.command_line.parser import NAME, Parser, build_parser

_BASH = """\
_nomination_bot() {{
  local current="${{COMP_WORDS[COMP_CWORD]}}" words="{commands} {options}"
  case "${{COMP_WORDS[1]}}" in
{cases}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}}
complete -o default -F _nomination_bot {name}
"""


def write_completion(shell: str) -> str:
    """Write the script for a shell."""
    if shell == "fish":
        return _write_fish()
    bash = _write_bash()
    return f"autoload -U +X bashcompinit && bashcompinit\n{bash}" if shell == "zsh" else bash


def _words(parser: Parser) -> list[str]:
    options = [each for each in parser.all_options() if each.startswith("--")]
    fixed = [
        str(choice)
        for action in parser._actions  # noqa: SLF001  argparse has no public list of them
        if not action.option_strings and not isinstance(action.choices, dict)
        for choice in action.choices or ()
    ]
    return [*fixed, *dict.fromkeys(options)]


def _write_bash() -> str:
    parser = build_parser()
    commands = parser.subcommands()
    cases = "\n".join(
        f'    {name}) words="{" ".join(_words(p))}" ;;' for name, p in commands.items()
    )
    return _BASH.format(
        name=NAME,
        commands=" ".join(commands),
        options="--version --help --quiet --verbose",
        cases=cases,
    )


def _write_fish() -> str:
    commands = build_parser().subcommands()
    lines = [f"complete -c {NAME} -f -n __fish_use_subcommand -a '{' '.join(commands)}'"]
    for name, parser in commands.items():
        seen = f"complete -c {NAME} -n '__fish_seen_subcommand_from {name}'"
        for word in _words(parser):
            kind = f"-l {word[2:]}" if word.startswith("--") else f"-a {word}"
            lines.append(f"{seen} {kind}")
    return "\n".join([*lines, ""])
