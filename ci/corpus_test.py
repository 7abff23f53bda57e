"""corpus_test: `allocheck corpus`: text traces to raw inputs and back, and what is no corpus."""
import os
import unittest

from command import CANNOT_TEST, CLEAN, GOOD, HEAD, ROOT, Case, validate

SAID = HEAD.replace('machine', '# Why this is here.\nmachine', 1) + \
    'p0 = alloc_pages(order=1, gfp=GFP_KERNEL) -> refused\nend\n'


class Corpus(Case):
    def corpus(self, what, source, target, code=CLEAN):
        done = self.expect(code, 'corpus', what, source, target, '--json')
        return validate('corpus', done.stdout), done.stderr

    def contents(self, folder):
        return sorted(path.read_bytes() for path in folder.iterdir())

    def test_text_to_bytes_to_text_is_the_canonical_text(self):
        counts, _ = self.corpus('pack', ROOT / 'corpus/buddy', self.folder / 'bytes')
        self.assertGreater(counts['written'], 20)
        self.assertEqual(counts['refused'], 0)
        self.corpus('unpack', self.folder / 'bytes', self.folder / 'text')
        self.corpus('pack', self.folder / 'text', self.folder / 'again')
        self.corpus('unpack', self.folder / 'again', self.folder / 'text2')
        self.assertEqual(self.contents(self.folder / 'bytes'), self.contents(self.folder / 'again'))
        self.assertEqual(sorted(os.listdir(self.folder / 'text')),
                         sorted(os.listdir(self.folder / 'text2')))
        one = next((self.folder / 'text').iterdir())
        self.expect(CLEAN, 'replay', one)

    def test_what_bytes_cannot_hold_is_said(self):
        self.write('in/a.trace', SAID)
        counts, err = self.corpus('pack', self.folder / 'in', self.folder / 'out')
        self.assertEqual(counts['lost'], {'answers': 1, 'comments': 1, 'expectations': 0})
        self.assertIn('1 answers, 1 comments', err)

    def test_equal_traces_meet_and_the_second_time_nothing_is_written(self):
        self.write('in/a.trace', GOOD)
        self.write('in/b.trace', GOOD.replace('machine', '# Another comment.\nmachine', 1))
        counts, _ = self.corpus('pack', self.folder / 'in', self.folder / 'out')
        self.assertEqual((counts['written'], counts['same']), (1, 1))
        counts, _ = self.corpus('pack', self.folder / 'in', self.folder / 'out')
        self.assertEqual((counts['written'], counts['same']), (0, 2))

    def test_a_bad_file_is_named_with_its_place_and_the_others_are_converted(self):
        self.write('in/a.trace', GOOD)
        bad = self.write('in/b.trace', GOOD.replace('free_pages(page=p0)', 'free_pages(page=p99)'))
        self.write('in/c.trace', SAID)
        (self.folder / 'in/d.trace').symlink_to('/proc/self/mem')  # opens, but cannot be read
        counts, err = self.corpus('pack', self.folder / 'in', self.folder / 'out', CANNOT_TEST)
        self.assertEqual((counts['written'], counts['refused']), (2, 2))
        self.assertIn(f'{bad}:4:17: bad page', err)
        self.assertIn('d.trace: ', err)
        self.assertEqual([row['file'] for row in counts['errors']],
                         [str(bad), str(self.folder / 'in/d.trace')])

    def test_a_huge_file_is_refused_without_being_read(self):
        for name, head in (('bytes', b''), ('text', b'allocheck 1\n')):
            path = self.write(f'in/{name}', head)
            os.truncate(path, 1 << 30)  # a hole; it costs no room
        for what, most in (('unpack', 1 << 20), ('pack', 16 << 20)):
            done = self.expect(CANNOT_TEST, 'corpus', what, self.folder / 'in', self.folder / what,
                               timeout=20)
            self.assertIn(f'the file has {1 << 30} bytes; expected at most {most}', done.stderr)
        done = self.expect(CANNOT_TEST, 'replay', '--bytes', self.folder / 'in/bytes', timeout=20)
        self.assertIn('expected at most', done.stderr)

    def test_any_bytes_become_a_trace(self):
        for i in range(300):
            self.write(f'in/{i}', os.urandom(i))
        counts, _ = self.corpus('unpack', self.folder / 'in', self.folder / 'out')
        self.assertEqual(counts['refused'], 0)
        self.corpus('pack', self.folder / 'out', self.folder / 'again')

    def test_usage(self):
        self.write('in/a.trace', GOOD)
        self.refused('corpus', 'mix', self.folder / 'in', self.folder / 'out')
        self.expect(CANNOT_TEST, 'corpus', 'pack', self.folder / 'none', self.folder / 'out')
        self.refused('corpus', 'pack', self.folder / 'in', self.folder / 'in/a.trace')
        self.refused('corpus', 'pack', self.folder / 'in', self.folder / 'out', '--layer', 'slob')


if __name__ == '__main__':
    unittest.main()
