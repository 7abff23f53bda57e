"""window_test: what `show window` and `show vmallocinfo` say of a machine's window."""
import re
import unittest

from command import CLEAN, Case

# Two areas, of which one is gone, but not yet flushed.
WINDOW = """allocheck 1
machine era=linux-6.1 zones=NORMAL:512 vmalloc=32
a0 = vmalloc(size=4096)
a1 = vmalloc(size=8192)
vfree(area=a0)
end
"""


class Window(Case):
    def test_the_window_is_a_map_of_all_addresses(self):
        trace = self.write('window.trace', WINDOW)
        text = self.expect(CLEAN, 'show', 'window', trace).stdout
        self.window_is_whole(text)
        self.assertRegex(text, r'(?m)^0x[0-9a-f]{8}-0x[0-9a-f]{8} +8192  area +task0 pages=2 vmalloc')
        self.assertEqual(len(re.findall('(?m) guard$', text)), 1)
        self.assertRegex(text, '(?m) lazy$')
        figure = self.expect(CLEAN, 'show', 'window', trace, '--svg').stdout
        self.assertEqual(figure.count('<rect'), 1 + 2 * text.count('\n'))
        self.assertIn('pages=2', self.expect(CLEAN, 'show', 'vmallocinfo', trace).stdout)
        for words in ([], ['--machine', 'era=linux-2.6.11 zones=NORMAL:64 vmalloc=16']):
            newborn = self.expect(CLEAN, 'show', 'window', *words).stdout
            self.window_is_whole(newborn)
            self.assertRegex(newborn, '(?m) free$')
        self.assertEqual(self.expect(CLEAN, 'show', 'vmallocinfo').stdout, '')
        self.assertIn('--machine:1:', self.refused('show', 'window', '--machine', 'era=linux-9'))
        self.refused('show', 'vmallocinfo', trace, '--svg')

    def window_is_whole(self, text):
        after = 0xc0000000
        for begin, end, size in re.findall(r'(?m)^0x(\w+)-0x(\w+) +(\d+)  ', text):
            self.assertEqual(int(begin, 16), after)
            self.assertEqual(int(end, 16) - int(begin, 16), int(size))
            after = int(end, 16)
        self.assertEqual(after, 1 << 32)


if __name__ == '__main__':
    unittest.main()
