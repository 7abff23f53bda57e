"""cpp_text: what the house check must see of C++: includes, literals, lengths of functions.

    text -> joined lines -> Source: includes   (line, "quoted" or <angled> or MACRO)
                                    literals   (line, text of a string)
                                    code       the rest, same line numbers, to count braces in
"""
import re

# What may hide an include, a brace or a quote. Numbers come before characters, for 1'000.
TOKEN = re.compile(
    r"""(?P<comment>//[^\n]*|/\*.*?(?:\*/|\Z))
      | (?P<raw>\b(?:u8|[uUL])?R"(?P<mark>[^()\\\s]{0,16})\(.*?(?:\)(?P=mark)"|\Z))
      | (?P<number>\b\d(?:[\w.]|'\w)*)
      | (?P<string>"(?:[^"\\\n]|\\.)*")
      | (?P<char>'(?:[^'\\\n]|\\.)*')""",
    re.VERBOSE | re.DOTALL)
INCLUDE = re.compile(r'^[ \t]*(?:#|%:)[ \t]*(?:include|include_next|import|embed)\b(.*)$', re.M)


def join_lines(text):
    """Undoes backslash line breaks; the breaks move behind the joined line: numbers stay true."""
    return re.sub(r'(?:[^\n]*\\\r?\n)+[^\n]*',
                  lambda m: re.sub(r'\\\r?\n', '', m[0]) + '\n' * m[0].count('\n'), text)


def blank(text):
    return re.sub(r'[^\n]', ' ', text)


class Source:
    """One file, taken apart."""

    def __init__(self, text):
        text = join_lines(text)
        self.literals = []
        quiet = TOKEN.sub(
            lambda t: blank(t[0]) if t.lastgroup in ('comment', 'raw') else t[0], text)
        self.includes = [(quiet.count('\n', 0, i.start(1)) + 1, i[1].strip())
                         for i in INCLUDE.finditer(quiet)]
        self.code = TOKEN.sub(lambda t: self.keep_literal(t, quiet), quiet)

    def keep_literal(self, token, text):
        if token.lastgroup == 'number':
            return token[0]
        if token.lastgroup == 'string':
            self.literals.append((text.count('\n', 0, token.start()) + 1, token[0][1:-1]))
        return blank(token[0])


TYPE_OR_SPACE = re.compile(r'\b(namespace|extern|struct|class|union|enum)\b')


def drop_alternatives(code):
    """Keeps the first branch of every #if: the others may open the same brace once more."""
    kept, hidden = [], []  # hidden[-1]: are we past the first branch of the innermost #if?
    for line in code.split('\n'):
        word = re.match(r'\s*#\s*(\w+)', line)
        if word and word[1].startswith('if'):
            hidden.append(False)
        elif word and word[1].startswith('el') and hidden:
            hidden[-1] = True
        elif word and word[1] == 'endif' and hidden:
            hidden.pop()
        kept.append('' if word or any(hidden) else line)
    return '\n'.join(kept)


def without_parentheses(head):
    """The head of a block with every (...) emptied: default arguments and conditions are noise."""
    depth, kept = 0, []
    for letter in head:
        depth -= letter == ')'
        if depth <= 0 or (depth == 1 and letter == '('):
            kept.append(letter)
        depth += letter == '('
    return ''.join(kept)


def function_name(head):
    """The name if this is the head of a function, else None. A test is named by its arguments."""
    flat = re.sub(r'\boperator\s*[^\w\s(]+', 'operator', without_parentheses(head))
    if '(' not in flat or '=' in flat or TYPE_OR_SPACE.search(flat.split('(')[0]):
        return None
    test = re.search(r'\b[A-Z_]{4,}\((\w+), *(\w+)', head)
    name = re.search(r'(\w+)\s*\(', flat)
    return f'{test[1]}.{test[2]}' if test else name[1] if name else None


def functions(source):
    """(first line, lines, name) of each function outside functions; [] if braces do not match.

    A block is a function when its head, the text since the last `;`, `{` or `}`, has parentheses
    and no `=`, and everything around it is a namespace or a type.
    """
    code = drop_alternatives(source.code)
    found, stack, head_start = [], [], 0  # stack: (is it a namespace or type?, start, name)
    for brace in re.finditer(r'[;{}]', code):
        if brace[0] == '{':
            head = code[head_start:brace.start()]
            outside = all(outer for outer, _, _ in stack)
            name = function_name(head) if outside else None
            outer = outside and not name and bool(TYPE_OR_SPACE.search(head))
            stack.append((outer, head_start + len(head) - len(head.lstrip()), name))
        elif brace[0] == '}':
            if not stack:
                return []
            _, start, name = stack.pop()
            if name:
                first = code.count('\n', 0, start) + 1
                found.append((first, code.count('\n', start, brace.start()) + 1, name))
        head_start = brace.end()
    return found if not stack else []
