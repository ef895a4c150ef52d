#!/usr/bin/env python3
"""Writes what `squall VERB --help` says into the pages of the commands.

    python3 tools/command_pages.py build/release/bin/squall
"""

import pathlib
import re
import subprocess
import sys


def help_of(program, *words):
    run = subprocess.run([program, *words, "--help"], capture_output=True, text=True, check=True)
    return run.stdout.strip() + "\n"


def subcommands(text):
    listed = text.partition("Subcommands:\n")[2]
    return re.findall(r"^  ([a-z]+)", listed, re.MULTILINE)


def main(program):
    folder = pathlib.Path(__file__).resolve().parent.parent / "docs" / "commands"
    for verb in subcommands(help_of(program)):
        page = folder / f"{verb}.md"
        texts = [help_of(program, verb)]
        texts += [help_of(program, verb, sub) for sub in subcommands(texts[0])]
        before = page.read_text().partition("```text\n")[0]
        page.write_text(before + "```text\n" + "\n".join(texts) + "```\n")
        print(page)


if __name__ == "__main__":
    main(*sys.argv[1:])
