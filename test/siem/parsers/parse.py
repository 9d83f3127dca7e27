"""Prints what the parsers of PyPI read from each line of standard input: parser, number of the line, key and value, with tabs between."""
import sys

import cefp
import jc
import jq
import pycef
from vrl_python import VRLRuntime


def vrl(program):
    return lambda line: VRLRuntime.run(program, {'message': line}, 'UTC').runtime_result


parsers = {
    'pycef': pycef.parse,
    'cefp': cefp.CEFParser.parse,
    'jc': lambda line: jc.parse('cef', line, quiet=True)[0],
    'VRL parse_cef': vrl('parse_cef!(.message)'),
    'VRL parse_syslog, then parse_cef': vrl('parse_cef!(parse_syslog!(.message).message)'),
}
json_parsers = {'jq': lambda line: jq.compile('.').input_text(line).first()}
for number, line in enumerate(sys.stdin.read().splitlines()):
    for name, parse in (json_parsers if line.startswith('{') else parsers).items():
        try:
            fields = parse(line)
            if not isinstance(fields, dict):
                raise ValueError(f'no fields: {fields!r}')
            pairs = {**fields, **(fields.get('extension') or {})}.items()
        except Exception as error:
            pairs = [('!', repr(error).replace('\n', ' '))]
        for key, value in pairs:
            print(name, number, key, value, sep='\t')
